// The customer's phone: the transcript, and the customer's actions.

import { CHANNELS, platform } from "./api.js";
import { kindOf, startAttaching } from "/send_representative/desk/attach.js";
import { find, make, onPress, onSend, setText, show, tell } from "/send_representative/desk/dom.js";
import { drawFiles } from "/send_representative/desk/files.js";
import {
  addNewcomer,
  conversationOf,
  customerId,
  customerName,
  lookNow,
  model,
  people,
  select,
  switchChannel,
} from "./model.js";
import { channelTitle, clock, initials, inWords, said } from "./words.js";

const AVATAR_TINTS = 6;
const NEAR_THE_END = 80;
const AGAIN = ["edit", "revoke", "reaction"]; // what a customer does with an earlier message

let shownFor = null;
let switchesOf = null; // whose switches are shown
let inHand = null; // the files that the customer is about to send
let heard = 0; // the sequence of the last message that was read out
let sending = []; // {seq, of, text, before, taken}
let following = true; // the newest bubble stays in sight, unless somebody scrolled back

const TYPING_AGAIN = 4000; // milliseconds, after which a phone says again that somebody types
const TYPING_PAUSE = 5000;

let typing = null; // {channel, id, at}: whom the phone has reported as typing
let stillness = 0;
let read = null; // the last message that the phone has reported as read

export function startPhone() {
  const chooser = find("customer");
  chooser.addEventListener("change", () => select(conversationOf(chooser.value)));
  const channels = find("channel");
  channels.append(...CHANNELS.map((value) => make("option", { value }, channelTitle(value))));
  channels.addEventListener("change", () => reported(() => switchChannel(channels.value)));
  onPress(find("new-customer"), () => openNewcomer(find("newcomer").hidden));
  find("newcomer").addEventListener("submit", startNewcomer);
  onPress(find("other-agent"), () => attempt(switchAgent));
  onPress(find("hide-number"), () => attempt(switchNumber));
  onPress(find("ask-human"), () => attempt((id) => platform.askForHuman(model.channel, id)));
  new ResizeObserver(keepNewestInSight).observe(find("bubbles"));
  inHand = startAttaching("say", find("device"));
  onSend(find("say"), find("say-text"), (text) => attempt((id) => say(id, text)), inHand.hasFiles);
  find("say-text").addEventListener("input", tellTyping);
}

/** Reports that the customer types, until they pause. WhatsApp has no such report. */
function tellTyping() {
  clearTimeout(stillness);
  const [id, { channel }] = [customerId(), model];
  if (!id || channel === "whatsapp") return;
  stillness = setTimeout(stopTyping, find("say-text").value ? TYPING_PAUSE : 0);
  if (!find("say-text").value) return;
  if (typing?.id === id && Date.now() - typing.at < TYPING_AGAIN) return;
  typing = { channel, id, at: Date.now() };
  platform.status(channel, id, { isTyping: true }).catch(() => {}); // best effort
}

function stopTyping() {
  const [whom, isReported] = [typing, typing?.channel === CHANNELS[0]]; // RCS has no end of it
  typing = null;
  if (isReported) platform.status(whom.channel, whom.id, { isTyping: false }).catch(() => {});
}

/** Reports that the customer has read the business's last message, if the phone shows it. */
function tellRead(rows) {
  const last = rows.findLast((one) => one.side === "business" && one.kind === "message");
  if (!last || last.id === read || document.hidden || !find("bubbles").clientHeight) return;
  read = last.id;
  platform.status(model.channel, customerId(), { read: last.id }).catch(() => {}); // best effort
}

/** The text is the caption of the first file. */
async function say(id, text) {
  clearTimeout(stillness);
  typing = null; // the message itself ends it
  if (!inHand.hasFiles()) return sayText(id, text);
  const { channel } = model;
  const name = customerName();
  let caption = text;
  await inHand.send(async (file, onProgress) => {
    const about = { kind: kindOf(file), ...(caption && { caption }) };
    if (name) about.displayName = name;
    await platform.sendFile(channel, id, file, about, onProgress);
    caption = "";
  });
}

async function sayText(id, text) {
  const one = { seq: `sending ${crypto.randomUUID()}`, of: model.selected, text, taken: false };
  one.before = model.transcript.at(-1)?.seq ?? 0;
  sending.push(one);
  renderPhone();
  try {
    await platform.say(model.channel, id, text, customerName());
    one.taken = true;
  } catch (error) {
    sending = sending.filter((other) => other !== one);
    renderPhone();
    throw error;
  }
}

/** Lets Meta's agent answer this customer first, or not any more. */
async function switchAgent(id) {
  const { answers } = await platform.agent(model.channel, id);
  const now = await platform.letAgentAnswer(model.channel, id, !answers);
  find("other-agent").setAttribute("aria-pressed", String(now.answers));
}

/** Lets the customer take a username. The next message is the last one that tells the number. */
async function switchNumber(id) {
  const { hidesNumber } = await platform.agent(model.channel, id);
  await platform.hideNumber(model.channel, id, !hidesNumber);
  find("hide-number").setAttribute("aria-pressed", String(!hidesNumber));
}

function showSwitches() {
  const id = customerId();
  const known = model.channel === "whatsapp" && Boolean(id);
  find("other-agent").hidden = !known;
  find("hide-number").hidden = !known || !/^[+]?[0-9]/.test(id);
  if (!known || model.selected === switchesOf) return;
  const whose = (switchesOf = model.selected);
  platform.agent(model.channel, id).then(
    ({ answers, hidesNumber }) => {
      if (switchesOf !== whose) return;
      find("other-agent").setAttribute("aria-pressed", String(answers));
      find("hide-number").setAttribute("aria-pressed", String(hidesNumber));
    },
    (error) => tell(find("phone-notice"), inWords(error), "bad"),
  );
}

function openNewcomer(open) {
  find("newcomer").hidden = !open;
  find("new-customer").setAttribute("aria-expanded", String(open));
  find("newcomer-username-row").hidden = model.channel !== "whatsapp";
  if (open) find("newcomer-name").select();
}

function startNewcomer(event) {
  event.preventDefault();
  const name = find("newcomer-name").value.trim();
  if (!name) return;
  reported(async () => {
    await addNewcomer(name, model.channel === "whatsapp" && find("newcomer-username").checked);
    openNewcomer(false);
    find("say-text").focus();
  });
}

async function reported(act) {
  try {
    await act();
    tell(find("phone-notice"), "");
  } catch (error) {
    tell(find("phone-notice"), inWords(error), "bad");
  }
}

async function attempt(act) {
  const id = customerId();
  if (!id) {
    openNewcomer(true);
    tell(find("phone-notice"), "Start a customer first.");
    return false;
  }
  try {
    await act(id);
    tell(find("phone-notice"), "");
    return true;
  } catch (error) {
    tell(find("phone-notice"), inWords(error), "bad");
    // a text for one customer must not appear in another's box
    return customerId() !== id;
  } finally {
    lookNow();
  }
}

export function renderPhone() {
  inHand.turnTo(model.selected);
  if (find("channel").value !== model.channel) find("channel").value = model.channel;
  renderChooser();
  showSwitches();
  const bubbles = find("bubbles");
  const elsewhere = model.selected !== shownFor;
  following =
    elsewhere || bubbles.scrollHeight - bubbles.scrollTop - bubbles.clientHeight < NEAR_THE_END;
  shownFor = model.selected;
  const shown = changed(model.transcript.filter((one) => one.kind !== "receipt"));
  announce(shown, elsewhere);
  tellRead(shown);
  const chips = chipsOf(shown.at(-1));
  const rows = [...shown, ...(chips.length ? [{ seq: "chips", chips }] : []), ...onTheWay()];
  show(
    bubbles,
    rows.length ? rows : [{ seq: "empty", hint: hint() }],
    (one) => one.seq,
    (one) => (one.hint ? empty(one.hint) : drawn(one)),
  );
  setText(find("typing"), model.typing ? `${model.typing} is typing …` : "");
  keepNewestInSight();
}

/** Reads out what the business has said since this customer was chosen. */
function announce(rows, elsewhere) {
  const last = rows.findLast((one) => one.side === "business" && one.kind === "message");
  const text = last ? said(last.body) : "";
  if (elsewhere) setText(find("heard"), "");
  else if (text && last.seq > heard) setText(find("heard"), text);
  heard = elsewhere ? (last?.seq ?? 0) : Math.max(heard, last?.seq ?? 0);
}

/** What the customer has sent and the platform does not show yet. */
function onTheWay() {
  sending = sending.filter((one) => !one.taken || one.of !== model.selected || !isShown(one));
  const mine = sending.filter((one) => one.of === model.selected);
  return mine.map(({ seq, text }) => ({ seq, sending: text }));
}

/** A sent text is shown at the latest with the transcript that was read after it. */
const isShown = ({ before }) => (model.transcript.at(-1)?.seq ?? 0) > before;

/** Applies what the customer did to earlier messages, which WhatsApp alone has. */
function changed(rows) {
  const later = new Map();
  for (const { kind, body } of rows) if (AGAIN.includes(kind)) later.set(body.of, { kind, body });
  return rows
    .filter((one) => !AGAIN.includes(one.kind))
    .map((one) => {
      const change = one.side === "customer" && later.get(one.id);
      return change ? { ...one, change } : one;
    });
}

function keepNewestInSight() {
  if (following) find("bubbles").scrollTop = find("bubbles").scrollHeight;
}

function renderChooser() {
  const chooser = find("customer");
  const options = people().map(({ id, name }) => ({ id, name }));
  if (options.length === 0) options.push({ id: "", name: "no customer yet" });
  if (customerId() === null && model.selected)
    options.unshift({ id: "", name: "not a customer of this platform" });
  show(
    chooser,
    options,
    (one) => one.id,
    ({ id, name }) => make("option", { value: id }, name && id ? `${name} (${id})` : name || id),
  );
  if (chooser.value !== (customerId() ?? "")) chooser.value = customerId() ?? "";
  find("new-customer").classList.toggle("primary", people().length === 0);
}

function hint() {
  if (model.selected && customerId() === null)
    return ["This conversation is on another platform; Baton only tracks it."];
  if (!model.selected)
    return [
      "This is the customer’s phone. To begin:",
      "1. Press “New customer”.",
      "2. Write something, like “Hi, I have a problem”. The bot answers.",
      "3. Press “Ask for a human”, then claim the conversation at the desk.",
    ];
  return [
    `Nothing here yet. Write as ${customerName() ?? "the customer"}, ` +
      "for example “Hi, I have a problem”.",
  ];
}

const empty = (lines) =>
  make("li", { class: "empty" }, ...lines.map((line) => make("p", {}, line)));

function drawn(one) {
  if (one.chips) return chipLine(one.chips);
  if (one.sending !== undefined) return sendingBubble(one.sending);
  if (one.kind === "event") return frameLine(one);
  if (one.kind === "survey")
    return make("li", { class: "line" }, make("span", {}, "A survey was sent"));
  if (one.kind === "status")
    return make("li", { class: "line" }, make("span", {}, "You asked for a human"));
  return one.side === "customer" ? ownBubble(one) : theirBubble(one);
}

function frameLine({ body, at }) {
  const name = body.representative.displayName || "Somebody";
  const verb = body.eventType === "REPRESENTATIVE_JOINED" ? "joined" : "left";
  return make(
    "li",
    { class: `line ${verb}` },
    make("span", { dir: "auto", title: clock(at) }, `${name} ${verb}`),
  );
}

const sendingBubble = (text) =>
  make(
    "li",
    { class: "bubble own sending" },
    make("p", { class: "said", dir: "auto" }, text),
    make("span", { class: "because" }, "sending …"),
  );

function ownBubble({ id, kind, body, at, change }) {
  const text = change ? (change.body.text ?? "You deleted this message") : said(body);
  const files = change?.kind === "revoke" ? null : drawFiles(filesOf(body));
  const words = text ? make("p", { class: "said", dir: "auto" }, text) : null;
  const mark = change?.body.text ? " edited" : "";
  const isText = kind === "message" && !body.files;
  const may = isText && model.channel === "whatsapp" && change?.kind !== "revoke";
  return make(
    "li",
    { class: "bubble own" },
    make("span", { class: "unseen" }, "The customer wrote:"),
    files,
    words,
    may ? changes(id, text) : null,
    make("span", { class: "unseen" }, mark),
    time(at),
  );
}

function changes(id, text) {
  const edit = make("button", { type: "button", class: "small" }, "Edit");
  onPress(edit, () => {
    const words = window.prompt("The new words of this message", text)?.trim();
    if (words) attempt((key) => platform.edit(model.channel, key, id, words));
  });
  const remove = make("button", { type: "button", class: "small" }, "Delete");
  onPress(remove, () => attempt((key) => platform.revoke(model.channel, key, id)));
  return make("span", { class: "changes" }, edit, remove);
}

function theirBubble({ body, at }) {
  if (!body.representative) return plainBubble(body, at);
  const { representativeType: type, displayName } = body.representative;
  const who = make(
    "p",
    { class: "who" },
    make("b", { class: "label" }, type),
    " ",
    make("bdi", {}, displayName || "Somebody"),
  );
  return make(
    "li",
    { class: `bubble theirs ${type.toLowerCase()}` },
    avatar(displayName),
    make("div", {}, who, ...shownOf(body), time(at)),
  );
}

/** The files of a message, and its words. */
function shownOf(body) {
  const words = said(body);
  return [
    drawFiles(filesOf(body)),
    words ? make("p", { class: "said", dir: "auto" }, words) : null,
  ];
}

/** A file elsewhere has a name only: this page loads nothing from another machine. */
function filesOf(body) {
  const link = body.image?.contentInfo?.fileUrl ?? body.contentInfo?.fileUrl;
  const elsewhere = link ? [{ kind: "image", fileName: link }] : [];
  return (body.files ?? elsewhere).map((file) => ({
    ...file,
    caption: body.text || body.image?.contentInfo?.altText,
    link: () => (file.url?.startsWith("/") ? file.url : null),
  }));
}

/** Without labels on a platform only the text shows who speaks. */
function plainBubble(body, at) {
  const elsewhere = body.agent ? "From Meta’s agent" : null;
  const from = body.echo ? "From the WhatsApp Business app" : elsewhere;
  const app = from ? make("p", { class: "who" }, from) : null;
  const said = make("div", {}, app, ...shownOf(body), time(at));
  return make("li", { class: "bubble theirs plain" }, said);
}

/**
 * Suggestions can be tapped while their message is the newest. The simulated Business Messages has
 * no taps.
 */
function chipsOf(latest) {
  if (model.channel === CHANNELS[0] || latest?.side !== "business") return [];
  return (latest.body.suggestions ?? []).flatMap((one) => one.reply ?? []);
}

function chipLine(chips) {
  const buttons = chips.map((chip) => {
    const button = make("button", { type: "button" }, chip.text);
    onPress(button, () => attempt((id) => platform.tap(model.channel, id, chip)));
    return button;
  });
  return make("li", { class: "chips" }, ...buttons);
}

function avatar(name) {
  const tint =
    [...(name || "?")].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % AVATAR_TINTS;
  return make("span", { class: `avatar tint-${tint}`, "aria-hidden": "true" }, initials(name));
}

const time = (at) => make("time", { datetime: at }, clock(at));
