// The agent's desk: waiting and current conversations, and the controls to take, leave and fail
// one.

import { agentName, clearNotices, isPresent } from "./agent.js";
import { baton } from "./api.js";
import {
  find,
  make,
  onPress,
  setAble,
  setText,
  show,
  tell,
} from "/send_representative/desk/dom.js";
import { acting, customerOf, lookNow, model, select } from "./model.js";
import { attachmentsOf, newLink, withoutLinks } from "./attachments.js";
import { drawFiles } from "/send_representative/desk/files.js";
import { renderReply, startSpeaking } from "./speak.js";
import {
  channelTitle,
  clock,
  deskInWords,
  erasedInWords,
  inWords,
  names,
  placed,
  waitedSince,
  wordsNow,
} from "./words.js";

const AGENT = "baton-agent-name";
const LONGEST_LIST = 100;
const MOST_FILES = 20; // messages with files
const EMPTY = {
  QUEUED: "No customer waits. Those who ask for a human appear here, the longest wait first.",
  HUMAN: "No human is in a conversation.",
  BOT: "No customer is with the bot.",
};

let toldAfter = null; // the conversation as it was when its notice was given

export function startDesk() {
  const agent = find("agent");
  agent.value = localStorage.getItem(AGENT) || agent.value;
  agent.addEventListener("input", () => {
    localStorage.setItem(AGENT, agentName());
    renderDesk();
  });
  onPress(find("claim"), claim);
  onPress(find("leave"), leave);
  onPress(find("nobody"), nobody);
  startSpeaking();
}

async function claim() {
  const taken = await control(
    (id) => baton.claim(id, agentName()),
    () => `${agentName()} has joined; the customer sees it.`,
  );
  if (taken && document.activeElement === find("claim")) find("reply-text").focus();
}

const leave = () =>
  control(
    (id) => baton.release(id, agentName()),
    (now) =>
      now.phase === "BOT"
        ? "You left. The bot has the conversation again."
        : `You left. ${names(now.representatives)} is still there.`,
  );

const nobody = () =>
  control(
    (id) => baton.fail(id),
    () => "The customer was told that nobody is available, and is back with the bot.",
  );

async function control(act, words) {
  const id = model.selected;
  const report = (text, tone) => model.selected === id && tell(find("claim-notice"), text, tone);
  clearNotices();
  try {
    const after = await act(id);
    toldAfter = after;
    report(words(after), "good");
    return true;
  } catch (error) {
    report(inWords(error), "bad");
    return false;
  } finally {
    lookNow();
  }
}

export function renderDesk() {
  for (const [phase, list] of Object.entries(model.lists))
    renderList(phase, find(phase.toLowerCase()), list);
  const waiting = model.lists.QUEUED.length;
  setText(find("desk-count"), waiting ? ` ${counted(waiting)}` : "");
  find("work").hidden = !model.selected;
  if (model.selected) renderWork();
}

const counted = (n) => (n >= LONGEST_LIST ? `${n}+` : String(n));

function renderList(phase, list, conversations) {
  setText(
    find(`${phase.toLowerCase()}-count`),
    conversations.length ? counted(conversations.length) : "",
  );
  const items = conversations.map((one) => ({
    ...briefly(one, conversations),
    chosen: one.name === `conversations/${acting()}`,
  }));
  if (items.length === 0) items.push({ id: "empty", empty: EMPTY[phase] });
  show(
    list,
    items,
    (one) => one.id,
    (one) => (one.empty ? make("li", { class: "empty" }, one.empty) : drawn(one)),
  );
  for (const waited of list.querySelectorAll("[data-since]"))
    setText(waited, waitedSince(waited.dataset.since));
}

const briefly = (one, all) => ({
  id: one.name.slice("conversations/".length),
  name: nameOf(one),
  since: one.waitingSince,
  reason: one.phase === "QUEUED" ? one.requestReason : null,
  holders: names(one.representatives),
  desk: deskOf(one, all),
});

/** Not every channel gives Baton a name; the person who plays the customer here knows it. */
function nameOf(one) {
  const id = one.name.slice("conversations/".length);
  const known = one.customerName || customerOf(id)?.name;
  return known || `Somebody on ${channelTitle(id)}, …${id.slice(-6)}`;
}

/**
 * Returns the desk of a conversation, and its place in that desk's own queue: lists have the
 * longest wait first.
 */
function deskOf(one, all) {
  const desk = deskInWords(one);
  if (one.phase !== "QUEUED") return desk && `desk ${desk}`;
  const line = all.filter((other) => other.desk === one.desk);
  return `${placed(line.indexOf(one) + 1)} at ${desk}`;
}

function drawn(one) {
  const waited =
    one.since && make("span", { class: "waited", "data-since": one.since }, waitedSince(one.since));
  const beside =
    waited || (one.holders ? make("span", { class: "holder", dir: "auto" }, one.holders) : null);
  const title = make("span", { class: "title" }, make("bdi", { class: "name" }, one.name), beside);
  const reason = one.reason && make("span", { class: "detail", dir: "auto" }, one.reason);
  const id = make("span", { class: "detail" }, one.id);
  const desk = one.desk && make("span", { class: "detail", dir: "auto" }, one.desk);
  const button = make(
    "button",
    { type: "button", class: "row-button", "aria-pressed": String(one.chosen) },
    title,
    reason,
    id,
    desk,
  );
  button.addEventListener("click", () => select(one.id));
  return make("li", {}, button);
}

function renderWork() {
  const { conversation } = model;
  if (hasMovedOn(conversation)) tell(find("claim-notice"), "");
  setText(
    find("work-title"),
    conversation ? nameOf(conversation) : (customerOf(model.selected)?.name ?? model.selected),
  );
  setText(find("work-latest"), latestWords());
  renderFiles();
  renderReply();
  // otherwise the agents are at its own platform
  const isOurs = Boolean(conversation && !conversation.tracked);
  setAble(find("claim"), isOurs && Boolean(agentName()) && !isPresent());
  setAble(find("leave"), isOurs && isPresent());
  setAble(find("nobody"), isOurs && conversation.phase === "QUEUED");
}

/** Shows the files of both sides, the newest first: a desk needs them to answer. */
function renderFiles() {
  const entries = model.gone ? [] : model.entries.filter((one) => attachmentsOf(one).length);
  const items = entries.slice(-MOST_FILES).reverse();
  find("work-files").hidden = items.length === 0;
  show(find("work-files"), items, (one) => one.id, drawEntryFiles, withoutLinks);
}

function drawEntryFiles(entry) {
  const whose = entry.representative?.displayName ?? "The customer";
  const time = make("time", { datetime: entry.time }, clock(entry.time));
  const head = make("p", { class: "entry-head" }, time, make("b", { dir: "auto" }, whose));
  return make("li", {}, head, drawFiles(attachmentsOf(entry), newLink));
}

/**
 * Returns whether another participant speaks, or a human is requested, since the notice was shown.
 */
function hasMovedOn(conversation) {
  if (!toldAfter || conversation?.name !== toldAfter.name) return false;
  return conversation.version > toldAfter.version && conversation.phase !== toldAfter.phase;
}

/** The last message on the channel in use, to which the answer goes. */
function latestWords() {
  if (model.gone) return erasedInWords(model.gone);
  const inUse =
    model.conversation?.channels?.find((one) => one.inUse)?.conversation ?? model.selected;
  const latest = model.entries.findLast((one) => one.kind === "user_message" && one.text);
  const words = customerOf(inUse)?.said ?? (latest && wordsNow(latest, model.entries).text);
  return words ? `“${words}”` : "Baton hears of this customer with their first message.";
}
