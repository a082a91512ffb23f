// The channels of one customer: the joined ones, the one in use, and the controls to join and part.

import { baton, platform } from "./api.js";
import { find, make, onPress, show, tell } from "/send_representative/desk/dom.js";
import { acting, lookNow, model, ofCustomers, select } from "./model.js";
import { channelTitle, inWords } from "./words.js";

const TRIES = 10;
const PAUSE = 300;

let shownFor = null;

export function startChannels() {
  onPress(find("join-open"), () => openJoin(find("join").hidden));
  find("join").addEventListener("submit", (event) => {
    event.preventDefault();
    const other = find("join-which").value;
    const where = find("join-which").selectedOptions[0]?.textContent.split(":")[0];
    if (other)
      attempt(() => join(other), `${where} is joined: answers go where the customer wrote last.`);
  });
}

async function openJoin(open) {
  find("join").hidden = !open;
  find("join-open").setAttribute("aria-expanded", String(open));
  if (!open) return;
  find("join-which").replaceChildren();
  tell(find("join-notice"), "");
  await attempt(offerOthers);
}

/** Offers each customer who can be joined to this one. Customers with the same name come first. */
async function offerOthers() {
  const phases = Object.keys(model.lists).map((phase) => baton.list(phase));
  const [here, known, ...lists] = await Promise.all([
    baton.get(acting()),
    platform.everybody(),
    ...phases,
  ]);
  const everybody = Object.values(known).flat();
  const listed = ofCustomers(lists.flatMap(({ conversations }) => conversations));
  const others = listed
    .filter((one) => canBeJoined(here, one))
    .map((one) => described(one, everybody))
    .filter((one) => one.phones.length);
  const name = nameOf(model.selected, everybody);
  others.sort((one, other) => Number(other.name === name) - Number(one.name === name));
  find("join-which").replaceChildren(...others.map(drawOther));
  if (!others.length)
    throw new Error(
      "There is nobody to join. Start a customer on another platform, and write; " +
        "what has channels of its own joins only what has none.",
    );
}

const nameOf = (conversation, everybody) =>
  everybody.find((one) => one.conversation === conversation)?.name;
const holderOf = (view) => view.name.slice("conversations/".length);
const channelsOf = (view) => view.channels?.map((one) => one.conversation) ?? [holderOf(view)];

/**
 * Returns whether two conversations can be joined. They cannot where both have several channels, or
 * both have a human.
 */
function canBeJoined(here, view) {
  if (view.name === here.name) return false;
  const several = view.channels && here.channels;
  return !several && !(view.representatives.length && here.representatives.length);
}

function described(view, everybody) {
  const phones = channelsOf(view).filter((one) =>
    everybody.some((known) => known.conversation === one),
  );
  const name = view.customerName ?? phones.map((one) => nameOf(one, everybody)).find(Boolean);
  return {
    holder: holderOf(view),
    phones,
    name,
    id: everybody.find((one) => one.conversation === phones[0])?.id,
  };
}

function drawOther({ holder, phones, name, id }) {
  const where = phones.map(channelTitle).sort().join(" + ");
  return make("option", { value: holder }, `${where}: ${name ? `${name} (${id})` : id}`);
}

/** A conversation without joined channels is joined to the one that has them. */
async function join(other) {
  const theirs = await baton.get(other);
  const [goes, stays] = theirs.channels ? [acting(), other] : [other, acting()];
  await settled(() => baton.link(goes, stays));
  openJoin(false);
}

/** Waits until pending deliveries are done. */
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
  const items = channels.map(({ conversation, inUse }) => ({
    conversation,
    inUse,
    shown: conversation === model.selected,
    holds: conversation === holder,
  }));
  items.sort((one, other) => one.conversation.localeCompare(other.conversation));
  show(find("channels"), items, (one) => one.conversation, drawChannel);
}

function drawChannel({ conversation, inUse, shown, holds }) {
  const title = channelTitle(conversation);
  const phone = make(
    "button",
    { type: "button", title: conversation, "aria-pressed": String(shown) },
    title,
    inUse ? make("span", { class: "note" }, " · in use") : null,
  );
  phone.addEventListener("click", () => select(conversation));
  return make(
    "li",
    { class: inUse ? "used" : null },
    phone,
    holds ? null : partButton(conversation, title),
  );
}

function partButton(conversation, title) {
  const button = make(
    "button",
    {
      type: "button",
      class: "part",
      "aria-label": `Part ${title}`,
      title: `Let ${title} be on its own again`,
    },
    "Part",
  );
  onPress(button, () =>
    attempt(() => settled(() => baton.unlink(conversation)), `${title} is on its own again.`),
  );
  return button;
}
