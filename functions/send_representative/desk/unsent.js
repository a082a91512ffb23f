// What a person has sent and the journal does not show yet: on its way, or refused. It is sent
// again under the same id, so nothing reaches the customer twice.

import { baton } from "./api.js";
import { find, make, show } from "./dom.js";
import { lookNow } from "./live.js";
import { changed, idOf, myself, state } from "./state.js";
import { inWords } from "./words.js";

const KEPT = "baton-desk-unsent";

// {id, conversation, note, text, file, name, share, state: sending | taken | failed, why}
let items = JSON.parse(localStorage.getItem(KEPT) ?? "[]").map((one) => ({
  ...one,
  state: "failed",
  why: "The page was closed before it was sent.",
}));
const lines = new Map(); // the sending before, by conversation

/** Files are not kept: a page may not read them again after it was closed. */
function keep() {
  const lasting = items
    .filter((one) => one.state !== "taken" && (one.text || one.mediaId))
    .filter((one) => !one.file || one.mediaId)
    .map(({ file, share, ...one }) => one);
  localStorage.setItem(KEPT, JSON.stringify(lasting));
}

/** Sends a message, or saves a note, after what was sent before it in this conversation. */
export function send(conversation, { text, file = null, note = false }) {
  const item = { id: crypto.randomUUID(), conversation, text, file, note, state: "sending" };
  if (file) Object.assign(item, { name: file.name, share: 0 });
  items.push(item);
  start(item);
}

function start(item) {
  Object.assign(item, { state: "sending", why: null });
  const before = lines.get(item.conversation) ?? Promise.resolve();
  const mine = before.then(() => attempt(item));
  lines.set(item.conversation, mine);
  keep();
  changed();
}

async function attempt(item) {
  try {
    if (item.file && !item.mediaId) await upload(item);
    await (item.note ? baton.note(item.conversation, noteOf(item)) : say(item));
    item.state = "taken";
  } catch (error) {
    const taken = error.reason === "already-accepted";
    Object.assign(item, taken ? { state: "taken" } : { state: "failed", why: inWords(error) });
  }
  keep();
  changed();
  lookNow();
}

async function upload(item) {
  const onProgress = (share) => {
    item.share = share;
    const bar = find("unsent").querySelector(`[data-key="${item.id}"] progress`);
    if (bar) bar.value = share;
  };
  item.mediaId = (await baton.upload(item.conversation, item.file, onProgress)).mediaId;
}

const noteOf = (item) => ({
  requestId: item.id,
  text: item.text,
  representative: myself(),
});

function say({ id, conversation, text, mediaId }) {
  const content = mediaId ? { file: { mediaId, ...(text && { altText: text }) } } : { text };
  return baton.say(conversation, { messageId: id, ...content, representative: myself() });
}

export function drawUnsent() {
  const shown = new Set(state.book?.entries.map((one) => one.eventId));
  items = items.filter((one) => one.state !== "taken" || !shown.has(one.id));
  const id = state.conversation ? idOf(state.conversation) : null;
  const mine = items.filter((one) => one.conversation === id && !shown.has(one.id));
  find("unsent").hidden = !mine.length;
  const wasAt = find("unsent").children.length;
  show(find("unsent"), mine.map(({ file, share, ...one }) => one), (one) => one.id, draw);
  const scroll = find("scroll");
  if (mine.length > wasAt) scroll.scrollTop = scroll.scrollHeight;
}

function draw(one) {
  const item = items.find((other) => other.id === one.id);
  const words = one.text && make("p", { class: "said", dir: "auto" }, one.text);
  const file = one.name && make("p", { class: "beside" }, make("bdi", {}, one.name));
  const bar =
    one.state === "sending" && one.name && !one.mediaId
      ? make("progress", { max: 1, value: item.share, "aria-label": `Uploading ${one.name}` })
      : null;
  return make(
    "li",
    { class: `bubble ${one.note ? "note" : "human"} ${one.state}` },
    file,
    bar,
    words,
    one.state === "failed" ? failed(item) : make("p", { class: "foot" }, "… sending"),
  );
}

function failed(item) {
  const again = make("button", { type: "button", class: "small" }, "Send again");
  const drop = make("button", { type: "button", class: "small" }, "Discard");
  again.addEventListener("click", () => start(item));
  drop.addEventListener("click", () => {
    items = items.filter((one) => one !== item);
    keep();
    changed();
    find("reply-text").focus();
  });
  const why = make("span", { class: "why", role: "alert" }, `Not sent. ${item.why}`);
  return make("p", { class: "foot" }, why, again, drop);
}
