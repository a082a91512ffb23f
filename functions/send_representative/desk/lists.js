// The lists: my conversations, who waits, what others hold, and who is with the assistant.

import { isTyping } from "./devices.js";
import { find, make, setText, show } from "./dom.js";
import { isOfferedToMe } from "./passing.js";
import { idOf, isMine, isSupervisor, state } from "./state.js";
import { unread, wantTail } from "./tails.js";
import { channelOf, customerName, language, names, since } from "./words.js";

const EMPTY = {
  mine: "You are with no customer.",
  queue: "No customer waits.",
  offers: "Nothing is offered to you.",
  others: "Nobody else is with a customer.",
  bot: "No customer is with the assistant.",
};

const inView = new Set();
const watcher = new IntersectionObserver((rows) => {
  for (const row of rows) {
    if (row.isIntersecting) inView.add(row.target.dataset.key);
    else inView.delete(row.target.dataset.key);
  }
  wantTails();
});

export function startLists() {
  find("with-bot").addEventListener("toggle", () => {
    state.showsBot = find("with-bot").open;
  });
}

export function drawLists() {
  const mine = state.lists.HUMAN.filter(isMine);
  const others = state.lists.HUMAN.filter((one) => !isMine(one));
  state.offers = Object.values(state.lists).flat().filter(isOfferedToMe);
  find("offers-part").hidden = !state.offers.length;
  find("others-part").hidden = state.me?.kind === "person" && !isSupervisor();
  drawList("offers", state.offers);
  drawList("mine", mine);
  drawList("queue", state.lists.QUEUED);
  drawList("others", others);
  drawList("bot", state.lists.BOT.toReversed());
  for (const waited of document.querySelectorAll("#lists [data-since]"))
    setText(waited, since(waited.dataset.since));
  wantTails();
}

function drawList(name, conversations) {
  const list = find(name);
  setText(find(`${name}-count`), conversations.length ? String(conversations.length) : "");
  const named = (one) => customerName(one).toLocaleLowerCase();
  const items = conversations.map((one) =>
    briefly(one, conversations.some((other) => other !== one && named(other) === named(one))),
  );
  if (!items.length) items.push({ id: "empty", empty: EMPTY[name] });
  show(list, items, (one) => one.id, drawRow);
  for (const row of list.children) watcher.observe(row);
}

/** The words of my own are always known: they are counted in the title. */
function wantTails() {
  const shown = (one) => inView.has(idOf(one)) || isMine(one);
  Object.values(state.lists).flat().filter(shown).forEach(wantTail);
}

/** People of one name are told apart by the ends of their ids. */
function briefly(one, hasNamesake) {
  const id = idOf(one);
  const words = state.tails.get(id)?.words;
  const queued = one.phase === "QUEUED";
  return {
    id,
    name: customerName(one),
    since: queued ? one.waitingSince : null,
    holders: one.phase === "HUMAN" && !isMine(one) ? names(one.representatives) : null,
    reason: queued ? one.requestReason : null,
    words: isTyping(one) ? "is typing …" : words && wordsOf(words),
    tags: [
      channelOf(id),
      one.desk,
      language(one.locale),
      hasNamesake && one.customerName && `…${id.slice(-6)}`,
    ].filter(Boolean),
    unread: isMine(one) && id !== state.open ? unread(id) : 0,
    open: id === state.open || one.name === state.conversation?.name,
  };
}

const wordsOf = ({ by, text }) => (by ? `${by}: ${text}` : text);

function drawRow(one) {
  if (one.empty) return make("li", { class: "empty" }, one.empty);
  const beside = [
    one.unread
      ? make("span", { class: "unread" }, String(one.unread), unseen(" unread"))
      : null,
    one.since && make("span", { class: "waited" }, unseen("waits for "), time(one.since)),
  ];
  const button = make(
    "button",
    { type: "button", class: "row-button", "aria-current": one.open && "true" },
    make("span", { class: "title" }, make("bdi", { class: "name" }, one.name), ...beside),
    one.holders && make("span", { class: "holder" }, "with ", make("bdi", {}, one.holders)),
    one.reason && make("span", { class: "reason", dir: "auto" }, one.reason),
    one.words && make("span", { class: "words", dir: "auto" }, one.words),
    make("span", { class: "tags" }, ...one.tags.map((tag) => make("bdi", {}, tag))),
  );
  button.addEventListener("click", () => {
    location.hash = new URLSearchParams({ conversation: one.id });
  });
  return make("li", {}, button);
}

const unseen = (text) => make("span", { class: "unseen" }, text);
const time = (value) => make("span", { "data-since": value }, since(value));
