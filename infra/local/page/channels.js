// The channels of one customer: which are joined, which one is in use, joining another one and parting them.

import { CHANNELS, baton, platform } from "./api.js";
import { find, make, onPress, show, tell } from "./dom.js";
import { acting, lookNow, model, select } from "./model.js";
import { channelTitle, inWords } from "./words.js";

const TRIES = 10;
const PAUSE = 300;

let shownFor = null;

export function startChannels() {
  onPress(find("join-open"), () => openJoin(find("join").hidden));
  find("join").addEventListener("submit", (event) => {
    event.preventDefault();
    const other = find("join-which").value;
    if (other) attempt(() => join(other), `${channelTitle(other)} is joined: answers go where the customer wrote last.`);
  });
}

async function openJoin(open) {
  find("join").hidden = !open;
  find("join-open").setAttribute("aria-expanded", String(open));
  if (!open) return;
  tell(find("join-notice"), "");
  await attempt(offerOthers);
}

/** Offers whoever has written on another channel; who has the same name stands first. */
async function offerOthers() {
  const known = new Set([acting(), ...(model.conversation?.channels ?? []).map((one) => one.conversation)]);
  const lists = await Promise.all(CHANNELS.map(async (channel) => (await platform.customers(channel)).customers));
  const others = lists.flat().filter((one) => one.latest !== null && !known.has(one.conversation));
  const name = model.conversation?.customerName;
  others.sort((one, other) => Number(other.name === name) - Number(one.name === name));
  find("join-which").replaceChildren(...others.map(drawOther));
  if (!others.length) throw new Error("Nobody has written on another channel yet. Start a customer there, and write.");
}

const drawOther = ({ conversation, name, id }) =>
  make("option", { value: conversation }, `${channelTitle(conversation)}: ${name ? `${name} (${id})` : id}`);

async function join(other) {
  await settled(() => baton.link(other, acting()));
  openJoin(false);
}

/** What is still being delivered comes first, which takes a moment. */
async function settled(act) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (error.reason !== "outbox-pending" || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

async function attempt(act, words = "") {
  const id = model.selected;
  const report = (text, tone) => model.selected === id && tell(find("join-notice"), text, tone);
  try {
    await act();
    report(words, "good");
  } catch (error) {
    report(inWords(error), "bad");
  } finally {
    lookNow();
  }
}

export function renderChannels() {
  if (model.selected !== shownFor) openJoin(false);
  shownFor = model.selected;
  find("joined").hidden = !model.conversation || model.conversation.tracked;
  const channels = model.conversation?.channels ?? [];
  const holder = acting();
  const items = channels.map(({ conversation, inUse }) => ({ conversation, inUse, shown: conversation === model.selected, holds: conversation === holder }));
  items.sort((one, other) => one.conversation.localeCompare(other.conversation));
  show(find("channels"), items, (one) => one.conversation, drawChannel);
}

function drawChannel({ conversation, inUse, shown, holds }) {
  const title = channelTitle(conversation);
  const phone = make("button", { type: "button", title: conversation, "aria-pressed": String(shown) }, title, inUse ? make("span", { class: "note" }, " · in use") : null);
  phone.addEventListener("click", () => select(conversation));
  return make("li", { class: inUse ? "used" : null }, phone, holds ? null : partButton(conversation, title));
}

function partButton(conversation, title) {
  const button = make("button", { type: "button", class: "part", "aria-label": `Part ${title}` }, "part");
  onPress(button, () => attempt(() => settled(() => baton.unlink(conversation)), `${title} is on its own again.`));
  return button;
}
