// The pane of a simulated contact center's agents: a customer's chat, and the controls.

import { agentName, agentNumber } from "./agent.js";
import { contactCenter } from "./api.js";
import { renderRows, standing } from "./chat_rows.js";
import {
  find,
  make,
  onPress,
  onSend,
  setAble,
  setText,
  show,
  tell,
} from "/send_representative/desk/dom.js";
import { chatsOf, chooseChat, lookNow, model } from "./model.js";
import { channelTitle, inWords, names } from "./words.js";

const DONE = {
  joins: () => `${agentName()} has entered the chat.`,
  says: () => "Said. The customer sees it, framed and labelled.",
  leaves: () => `${agentName()} has left the chat. A colleague may come.`,
  ends: () => "The chat has ended.",
  deflects: () => "The contact center turned the customer away.",
};

const humans = new Set();
let seen = {}; // the latest chat that was shown, and of which conversation

export function startChat() {
  for (const button of find("chat-acts").querySelectorAll("[data-act]"))
    onPress(button, () =>
      attempt(
        button.dataset.act,
        button.dataset.act === "deflects" ? { reason: find("chat-reason").value } : {},
      ),
    );
  onSend(find("chat-says"), find("chat-text"), (text) => attempt("says", { text }));
  find("chat-choice").addEventListener(
    "change",
    ({ target }) => target.value && chooseChat(target.value),
  );
}

async function attempt(action, more) {
  const { number, transcript } = model.chat;
  const report = (text, tone) =>
    model.chat?.number === number && tell(find("chat-notice"), text, tone);
  try {
    if (!agentName()) throw new Error("Give your name first.");
    const { over, present } = standing(transcript);
    if (over) throw new Error("This chat has ended.");
    if (action === "says" && !present.has(agentName())) await act(number, "joins");
    await act(number, action, more);
    report(DONE[action](), "good");
    return true;
  } catch (error) {
    report(inWords(error), "bad");
    return model.chat?.number !== number;
  } finally {
    lookNow();
  }
}

const act = (number, action, more) =>
  contactCenter.act(number, { action, id: agentNumber(), name: agentName(), ...more });

export function renderChat() {
  const chats = chatsOf(model.conversation);
  setText(find("chat-count"), chats.length ? String(chats.length) : "");
  find("no-chat").hidden = model.chat !== null;
  find("chat-work").hidden = model.chat === null;
  if (model.conversation) humansKnown();
  if (model.chat) renderOne(model.chat, chats);
  else renderNone();
}

/** Shows how to open a chat, which depends on the configured desks. */
function renderNone() {
  const desks = model.bot?.chatDesks ?? [];
  const taking = desks.filter((one) => one.takes);
  find("no-desk").hidden = desks.length > 0;
  setText(
    find("no-chat-yet"),
    !desks.length || !model.selected ? "" : taking.length ? wayToChat(taking) : nobodyTakes(desks),
  );
}

function wayToChat(desks) {
  const { phase, desk } = model.conversation ?? {};
  const on = `${desks.map((one) => one.name).join(", ")} is on.`;
  if (phase === "QUEUED" && desks.some((one) => one.name === desk))
    return `${on} A human was asked for; the chat appears here once the desk is called.`;
  if (phase === "HUMAN")
    return `${on} It gets a chat for each handoff: let the human leave, and ask for one again.`;
  return (
    `${on} Press “Ask for a human” on the customer’s phone: ` +
    "the chat of that handoff appears here."
  );
}

const nobodyTakes = (desks) =>
  `${desks.map((one) => one.name).join(", ")} is on, ` +
  `and takes nobody on ${channelTitle(model.selected)}. ` +
  "BATON_DESKS says which channels it takes.";

function renderOne({ number, transcript }, chats) {
  const created = transcript.find((one) => one.kind === "created")?.body;
  const { over, present, deflected } = standing(transcript);
  noticeAnother(chats);
  setText(
    find("chat-which"),
    `Chat ${number}${model.conversation.desk ? ` of ${model.conversation.desk}` : ""}`,
  );
  setText(
    find("chat-state"),
    over ? "ended" : number === chats.at(-1) ? "open" : "open, of an earlier handoff",
  );
  find("chat-state").className = `badge ${over ? "" : "accepted"}`;
  setText(find("chat-who"), who());
  setText(
    find("chat-created"),
    created ? JSON.stringify({ ...created, transcript: undefined }, null, 2) : "",
  );
  renderOthers(chats.filter((one) => one !== number).reverse());
  enable({ over, deflected, present, entered: present.has(agentName()) });
  renderRows(find("chat-rows"), transcript, humansKnown());
}

/** Shows a new chat at once, and says so to a reader of another chat or pane. */
function noticeAnother(chats) {
  const [conversation, latest] = [model.conversation.name, chats.at(-1)];
  if (seen.conversation === conversation && Number(latest) > Number(seen.latest))
    tell(find("chat-notice"), `Chat ${latest} was opened for a new handoff.`);
  seen = { conversation, latest };
}

function renderOthers(others) {
  find("chat-others").hidden = !others.length;
  const options = [
    { id: "", title: "choose …" },
    ...others.map((id) => ({ id, title: `Chat ${id}` })),
  ];
  show(
    find("chat-choice"),
    options,
    (one) => one.id,
    ({ id, title }) => make("option", { value: id }, title),
  );
  if (find("chat-choice").value) find("chat-choice").value = "";
}

function enable({ over, deflected, present, entered }) {
  const may = !over && Boolean(agentName());
  const able = {
    joins: may && !entered,
    leaves: may && entered,
    ends: may,
    deflects: may && !deflected && !present.size,
  };
  for (const button of find("chat-acts").querySelectorAll("[data-act]"))
    setAble(button, able[button.dataset.act]);
  find("chat-reason").disabled = !able.deflects;
  setAble(find("chat-say"), may);
  setText(find("chat-say"), entered ? "Say" : "Enter and say");
}

/**
 * Returns the names of all humans that were seen: the journal of a joined conversation begins with
 * the join.
 */
function humansKnown() {
  const seenNow = model.entries
    .map((one) => one.representative)
    .concat(model.conversation.representatives);
  for (const one of seenNow)
    if (one?.representativeType === "HUMAN" && one.displayName) humans.add(one.displayName);
  return [...humans];
}

function who() {
  const here = names(model.conversation.representatives);
  const present = here ? `With the customer: ${here}.` : "No human is with the customer.";
  return `You act as ${agentName() || "nobody: give your name above"}. ${present}`;
}
