// The transcript of the open conversation: who said what, who came and left, notes, and what is
// still on its way.

import { baton } from "./api.js";
import { receivedOf } from "./devices.js";
import { find, make, setText, show } from "./dom.js";
import { drawFiles } from "./files.js";
import { readOlder } from "./live.js";
import { rowsOf } from "./rows.js";
import { idOf, isMine, state } from "./state.js";
import { noteSeen } from "./tails.js";
import { clock, customerName, day, moment } from "./words.js";

const NEAR = 120; // pixels
const STATES = {
  sent: ["✓", "sent"],
  delivered: ["✓✓", "delivered"],
  read: ["✓✓", "read"],
  sending: ["…", "on its way"],
  waiting: ["…", "waits until the customer writes"],
  unknown: ["?", "it is not known whether it arrived"],
  failed: ["!", "did not arrive"],
};

let shownOf = null; // the conversation whose rows are shown
let announced = 0; // the sequence of the last message that was read out
let receipt = null; // the message that was last marked as read
let reading = false;
let following = true; // the newest row stays in sight, unless somebody scrolled back

export function startTranscript() {
  const scroll = find("scroll");
  scroll.addEventListener("scroll", () => {
    if (scroll.clientHeight) following = isAtEnd(scroll);
    if (scroll.scrollTop < NEAR) older();
  });
  // a part that was hidden had no height, and a keyboard on the screen takes some of it
  new ResizeObserver(() => following && showEnd(scroll)).observe(scroll);
  find("older").addEventListener("click", older);
}

const isAtEnd = (scroll) => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
const showEnd = (scroll) => (scroll.scrollTop = scroll.scrollHeight);

/** Reads older parts, and keeps what is in view where it is. */
async function older() {
  if (reading || !state.book?.older) return;
  reading = true;
  const scroll = find("scroll");
  const below = scroll.scrollHeight - scroll.scrollTop;
  try {
    await readOlder();
  } catch {
    // what is new is asked for meanwhile, and says what is wrong
  } finally {
    reading = false;
  }
  scroll.scrollTop = scroll.scrollHeight - below;
}

export function drawTranscript() {
  const { conversation, book } = state;
  const id = conversation && book ? idOf(conversation) : null;
  const rows = book ? rowsOf(book.entries) : [];
  const scroll = find("scroll");
  const isNew = id !== shownOf;
  following = isNew || (scroll.clientHeight ? isAtEnd(scroll) : following);
  shownOf = id;
  find("older").hidden = !book?.older;
  const customer = conversation ? customerName(conversation) : "";
  const received = (row) => (row.ids && conversation ? receivedOf(conversation, row.ids) : null);
  const drawn = withDays(rows).map((row) => ({ ...row, customer, received: received(row) }));
  show(find("transcript"), drawn, (row) => row.id, drawRow, lasting);
  if (following) showEnd(scroll);
  announce(rows, customer, isNew);
  if (document.hidden || !scroll.clientHeight) return; // nobody sees it
  noteSeen();
  if (conversation && isMine(conversation)) markRead(id, rows);
}

/** Puts a row before the first of each day. */
function withDays(rows) {
  let last = null;
  return rows.flatMap((row) => {
    const now = day(row.time);
    if (now === last) return [row];
    last = now;
    return [{ type: "day", id: `day ${now} ${row.id}`, text: now }, row];
  });
}

/** A row without the links to its files, which differ each time they are read. */
const lasting = ({ files, ...row }) => ({
  ...row,
  files: files?.map(({ url, urlExpiresAt, ...file }) => file),
});

function drawRow(row) {
  if (row.type === "day") return make("li", { class: "day" }, make("span", {}, row.text));
  if (row.type === "line") return drawLine(row);
  if (row.type === "note") return drawNote(row);
  return drawSaid(row);
}

function drawLine(row) {
  const words = make(
    "span",
    { dir: "auto" },
    row.name && make("bdi", {}, row.name),
    row.name ? ` ${row.text}` : row.text,
    row.because && ": ",
    row.because && make("bdi", {}, row.because),
  );
  return make("li", { class: `line ${row.frame ?? ""}` }, words, timeOf(row));
}

function drawNote(row) {
  const who = make(
    "p",
    { class: "who" },
    make("span", { class: "label" }, "NOTE"),
    " ",
    make("bdi", {}, row.name),
    " · ",
    make("span", { class: "aside" }, "only you and your colleagues see this"),
  );
  const words = make("p", { class: "said", dir: "auto" }, row.text);
  return make("li", { class: "note" }, who, words, timeOf(row));
}

function drawSaid(row) {
  const own = row.type !== "customer";
  const who = make(
    "p",
    { class: "who" },
    own && make("span", { class: "label" }, row.type.toUpperCase()),
    own && " ",
    make("bdi", {}, own ? row.name : row.customer),
  );
  const body = [
    row.quote && make("blockquote", { class: "quoted", dir: "auto" }, row.quote),
    drawFiles((row.files ?? []).map(linked), newLink),
    row.text && make("p", { class: "said", dir: "auto" }, row.text),
    ...(row.beside ?? []).map((text) => make("p", { class: "beside", dir: "auto" }, text)),
  ];
  return make("li", { class: `bubble ${row.type}` }, who, ...body, drawFoot(row));
}

function drawFoot(row) {
  const parts = [timeOf(row)];
  if (row.mark) parts.push(make("span", { class: "mark" }, row.mark));
  if (row.reactions?.length)
    parts.push(make("span", { class: "reaction" }, unseen("reaction "), row.reactions.join(" ")));
  if (row.state) parts.push(drawState(row));
  return make("p", { class: "foot" }, ...parts);
}

/** That somebody has read it is written out: two ticks alone say that it has arrived. */
function drawState({ state, received, why, retryAt }) {
  const how = state === "sent" ? (received ?? state) : state;
  const [tick, words] = STATES[how];
  const mark = make("span", { "aria-hidden": "true" }, tick);
  if (how === "read") return make("span", { class: "tick read" }, mark, ` ${words}`);
  if (["sent", "delivered"].includes(how))
    return make("span", { class: "tick" }, mark, unseen(` ${words}`));
  const again = how === "sending" && retryAt ? `, next try at ${clock(retryAt)}` : "";
  const told = why ? `${words}: ${why}${again}` : words;
  return make("span", { class: `tick ${how}` }, `${tick} ${told}`);
}

const timeOf = ({ time }) =>
  make("time", { datetime: time, title: moment(time) }, clock(time));
const unseen = (text) => make("span", { class: "unseen" }, text);

const linked = (file) => ({ ...file, link: () => file.url ?? null });

/** Reads the entry of a file again, whose links are new then. */
async function newLink({ place: [entry, index] }) {
  const { entries } = await baton.journal(shownOf, 100, undefined);
  return entries.find((one) => one.id === entry)?.details?.attachments?.[index]?.url ?? null;
}

/** Reads out what the customer has written since the conversation was opened. */
function announce(rows, customer, isNew) {
  const last = rows.findLast((row) => row.type === "customer");
  if (!isNew && last && last.seq > announced)
    setText(find("said"), `${customer}: ${last.text || "sent a file"}`);
  announced = isNew ? (last?.seq ?? 0) : Math.max(announced, last?.seq ?? 0);
}

function markRead(id, rows) {
  const last = rows.findLast((row) => row.type === "customer");
  if (!last?.message || receipt === last.message) return;
  receipt = last.message;
  baton.read(id, last.message).catch(() => {}); // best effort
}
