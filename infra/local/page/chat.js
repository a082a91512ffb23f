// What the agents of a simulated contact center see of a customer's chat, and what they can do there.

import { agentName, agentNumber } from "./agent.js";
import { contactCenter } from "./api.js";
import { find, make, onPress, onSend, setAble, setText, show, tell } from "./dom.js";
import { chatsOf, lookNow, model } from "./model.js";
import { clock, inWords, names } from "./words.js";

const DONE = {
  joins: () => `${agentName()} has entered the chat.`,
  says: () => "Said. The customer sees it, framed and labelled.",
  leaves: () => `${agentName()} has left the chat. A colleague may come.`,
  ends: () => "The chat has ended.",
  deflects: () => "The contact center turned the customer away.",
};
const WHO = { end_user: ["The customer", ""], virtual_agent: ["The bot", "by-bot"], agent: ["An agent", "by-human"] };

export function startChat() {
  for (const button of find("chat-acts").querySelectorAll("[data-act]"))
    onPress(button, () => act(button.dataset.act, button.dataset.act === "deflects" ? { reason: find("chat-reason").value } : {}));
  onSend(find("chat-says"), find("chat-text"), (text) => act("says", { text }));
  find("chat-choice").addEventListener("change", ({ target }) => {
    model.chat = { number: target.value, chosen: target.value, transcript: [] };
    lookNow();
  });
}

async function act(action, more) {
  const { number, transcript } = model.chat;
  const report = (text, tone) => model.chat?.number === number && tell(find("chat-notice"), text, tone);
  try {
    if (!agentName()) throw new Error("Give your name at the desk first.");
    if (isOver(transcript)) throw new Error("This chat has ended.");
    await contactCenter.act(number, { action, id: agentNumber(), name: agentName(), ...more });
    report(DONE[action](), "good");
    return true;
  } catch (error) {
    report(inWords(error), "bad");
    return model.chat?.number !== number;
  } finally {
    lookNow();
  }
}

const isOver = (transcript) => transcript.some((one) => one.kind === "finished");

export function renderChat() {
  const chats = chatsOf(model.conversation);
  setText(find("chat-count"), chats.length ? String(chats.length) : "");
  find("no-chat").hidden = model.chat !== null;
  find("chat-work").hidden = model.chat === null;
  if (model.chat) renderOne(model.chat, chats);
}

function renderOne({ number, transcript }, chats) {
  const created = transcript.find((one) => one.kind === "created")?.body;
  const ended = isOver(transcript);
  setText(find("chat-which"), `Chat ${number}${model.conversation.desk ? ` of ${model.conversation.desk}` : ""}`);
  setText(find("chat-state"), ended ? "ended" : "open");
  find("chat-state").className = `badge ${ended ? "" : "accepted"}`;
  setText(find("chat-who"), who());
  setText(find("chat-created"), created ? JSON.stringify({ ...created, transcript: undefined }, null, 2) : "");
  find("chat-others").hidden = chats.length < 2;
  show(find("chat-choice"), chats.map((id) => ({ id })).reverse(), (one) => one.id, ({ id }) => make("option", { value: id }, `Chat ${id}`));
  if (find("chat-choice").value !== number) find("chat-choice").value = number;
  for (const button of document.querySelectorAll("#chat-acts button, #chat-says button")) setAble(button, !ended && agentName());
  renderRows(transcript, created);
}

function who() {
  const here = names(model.conversation.representatives);
  return `You act as ${agentName() || "nobody: give your name at the desk"}. ${here ? `With the customer: ${here}.` : "No human is with the customer."}`;
}

function renderRows(transcript, created) {
  const list = find("chat-rows");
  const following = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const before = (created?.transcript ?? []).map(({ sender, timestamp, content }, index) => {
    const text = content.map((one) => one.text).join("\n");
    return { key: `before ${index}`, sender, at: timestamp, text, before: true };
  });
  const since = transcript.filter((one) => one.kind !== "created").map(({ seq, side, kind, body, at }) => {
    const sender = side === "business" ? "end_user" : "agent";
    return { key: seq, sender, at, text: body.text, name: body.name, over: kind === "finished" };
  });
  show(list, [...before, ...since], (one) => one.key, drawRow);
  if (following) list.scrollTop = list.scrollHeight;
}

function drawRow({ sender, at, text, name, over, before }) {
  if (over) return make("li", { class: "line" }, make("span", {}, "The chat has ended"));
  const [title, tone] = WHO[sender] ?? [sender, ""];
  const time = at ? make("time", { datetime: at }, clock(at)) : null;
  const head = make("p", { class: "entry-head" }, time, make("b", { class: tone }, name || title), before ? make("span", { class: "badge" }, "before the handoff") : null);
  return make("li", { class: before ? "before" : null }, head, make("p", { class: "said", dir: "auto" }, text));
}
