// The rows of a chat for a contact center's agents: the earlier transcript, the messages, and who
// did what.

import { make, show } from "/send_representative/desk/dom.js";
import { clock } from "./words.js";

const NEAR_THE_END = 40;
const WHO = {
  end_user: ["The customer", ""],
  virtual_agent: ["The bot", "by-bot"],
  agent: ["An agent", "by-human"],
};
const WHY = { after_hours: "after hours", over_capacity: "over capacity" };
const DONE = {
  joined: ({ name }) => `${name} entered`,
  left: ({ name }) => `${name} left`,
  deflected: ({ reason }) =>
    `The contact center turned the customer away: ${WHY[reason] ?? reason}`,
  finished: ({ name }) => (name ? `${name} ended the chat` : "Baton ended the chat"),
};

/** Returns whether the chat has ended, who is in it, and whether the customer was turned away. */
export function standing(transcript) {
  const present = new Set();
  for (const { kind, body } of transcript) {
    if (kind === "joined") present.add(body.name);
    if (kind === "left") present.delete(body.name);
  }
  const has = (kind) => transcript.some((one) => one.kind === kind);
  return { over: has("finished"), present, deflected: has("deflected") };
}

/** `humans` are the names of humans who spoke earlier, as Baton has them. */
export function renderRows(list, transcript, humans) {
  const following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_THE_END;
  const created = transcript.find((one) => one.kind === "created")?.body;
  const before = (created?.transcript ?? []).map((line, index) => saidBefore(line, index, humans));
  const since = transcript.filter((one) => one.kind !== "created").map(happened);
  show(
    list,
    [...before, ...since],
    (one) => one.key,
    (one) => (one.done ? drawDone(one) : drawSaid(one)),
  );
  if (following) list.scrollTop = list.scrollHeight;
}

/** The platform has no sender for a human who spoke earlier: the name stands before the words. */
function saidBefore({ sender, timestamp, content }, index, humans) {
  const text = content.map((one) => one.text).join("\n");
  const name =
    sender === "virtual_agent" ? humans.find((one) => text.startsWith(`${one}: `)) : undefined;
  const whose = name
    ? { sender: "agent", name, text: text.slice(name.length + 2) }
    : { sender, text };
  return { key: `before ${index}`, at: timestamp, before: true, ...whose };
}

function happened({ seq, side, kind, body, at }) {
  if (kind in DONE) return { key: seq, at, done: DONE[kind](body) };
  const sender = side === "business" ? "end_user" : body.type;
  return { key: seq, at, sender, text: body.text, name: body.name };
}

const drawDone = ({ done, at }) =>
  make("li", { class: "line" }, make("span", { dir: "auto", title: clock(at) }, done));

/** Returns a text whose web addresses are links. */
const withAnchors = (text) =>
  text
    .split(/(https?:\/\/[^\s<>]+)/)
    .map((part, index) =>
      index % 2 ? make("a", { href: part, target: "_blank", rel: "noopener" }, part) : part,
    );

function drawSaid({ sender, at, text, name, before }) {
  const [title, tone] = WHO[sender] ?? [sender, ""];
  const time = at ? make("time", { datetime: at }, clock(at)) : null;
  const mark = before ? make("span", { class: "badge" }, "before the handoff") : null;
  const head = make(
    "p",
    { class: "entry-head" },
    time,
    make("b", { class: tone, dir: "auto" }, name || title),
    mark,
  );
  return make(
    "li",
    { class: before ? "before" : null },
    head,
    make("p", { class: "said", dir: "auto" }, ...withAnchors(text)),
  );
}
