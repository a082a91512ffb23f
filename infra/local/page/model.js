// The state of the page, and how it is updated: one request after the other, more often while
// events arrive.

import { Away, CHANNELS, Refusal, baton, bot, contactCenter, faults, platform } from "./api.js";
import { emptyBook, readJournal } from "./journal.js";
import { inWords } from "./words.js";

const CALM_PAUSE = 1000;
const LIVELY_PAUSE = 300;
const LIVELY_ROUNDS = 5;
const CALM_ROUNDS_PER_LOOK = 4; // without news from the platform, Baton itself is asked this seldom

const ROUNDS_PER_LOOK_AT_FAULTS = 16; // seldom somebody switches them elsewhere
const WAITING = "QUEUED";
const FIRST_CHANNEL = CHANNELS[0];
const PREFIX = `${FIRST_CHANNEL}:`;

export const model = {
  channel: FIRST_CHANNEL,
  everybody: {}, // the customers of every channel, by its name
  customers: [],
  newcomers: [],
  selected: null,
  ...nothingSeen(),
  lists: { QUEUED: [], HUMAN: [], BOT: [] },
  crowded: false, // there are more than the lists show
  faults: null,
  trouble: null,
  started: false,
};

const givenNames = {}; // of newcomers, by id
let lively = 0;
let round = 0;
let hurry = false;
let wakeUp = () => {};
let latestNews = "";
let showNow = () => {};

function nothingSeen() {
  return {
    transcript: [],
    typing: null,
    conversation: null,
    gone: null,
    bot: null,
    chat: null,
    chosenChat: null,
    entries: [],
    book: emptyBook(),
  };
}

const CHAT = "ccai:chat-";
const DESKS_OWN = "conversations/ccai:"; // what is kept of its chats and end users is no customer's

export const ofCustomers = (conversations) =>
  conversations.filter((one) => !one.linkedTo && !one.name.startsWith(DESKS_OWN));

/**
 * Returns the conversation that holds the chosen one: another one where its channel is joined to
 * that.
 */
export const acting = () =>
  model.conversation?.name.slice("conversations/".length) ?? model.selected;

/**
 * The numbers of the chats that a simulated contact center has about this customer, the latest
 * last.
 */
export const chatsOf = (conversation) =>
  (conversation?.links ?? [])
    .filter((link) => link.startsWith(CHAT))
    .map((link) => link.slice(CHAT.length))
    .sort((one, other) => one - other);

/** Returns the chat to show: the latest, or an earlier one that was chosen since. */
function shownChat(conversation) {
  const chats = chatsOf(conversation);
  const chosen = model.chosenChat;
  return chosen?.latest === chats.at(-1) && chats.includes(chosen?.number)
    ? chosen.number
    : chats.at(-1);
}

export function chooseChat(number) {
  model.chosenChat = { number, latest: chatsOf(model.conversation).at(-1) };
  lookNow();
}

/** The customer's own id on the simulated platform, null where the conversation lives elsewhere. */
export function customerId() {
  if (model.selected?.startsWith(PREFIX)) return model.selected.slice(PREFIX.length);
  return people().find((one) => one.conversation === model.selected)?.id ?? null;
}

export const people = () =>
  model.channel === FIRST_CHANNEL ? [...model.newcomers, ...model.customers] : model.customers;

/** Returns the conversation of a customer. Only on Business Messages is it their own id. */
export const conversationOf = (id) =>
  people().find((one) => one.id === id)?.conversation ?? PREFIX + id;

/**
 * The customer of this conversation on a simulated channel, with their last words; none of a
 * channel elsewhere.
 */
export const customerOf = (conversation) =>
  Object.values(model.everybody)
    .flat()
    .find((one) => one.conversation === conversation);

export function customerName(id = customerId()) {
  return people().find((one) => one.id === id)?.name ?? undefined;
}

export function select(conversation) {
  if (conversation === model.selected) return;
  Object.assign(model, nothingSeen(), { selected: conversation });
  const channel = CHANNELS.find((one) => conversation?.startsWith(`${one}:`));
  if (channel && channel !== model.channel) Object.assign(model, { channel, customers: [] });
  history.replaceState(null, "", conversation ? `#${new URLSearchParams({ conversation })}` : "#");
  showNow();
  lookNow();
}

/** Turns to the customer who wrote last on another platform, if there is one. */
export async function switchChannel(channel) {
  const before = model.selected;
  Object.assign(model, { channel, customers: [] });
  const { customers } = await platform.customers(channel);
  if (model.channel !== channel || model.selected !== before) return; // a newcomer was started
  model.customers = customers;
  select(people()[0]?.conversation ?? null);
}

export async function addNewcomer(name, username) {
  if (model.channel !== FIRST_CHANNEL) {
    const newcomer = await platform.introduce(model.channel, name, username);
    model.customers = [{ ...newcomer, latest: null }, ...model.customers];
    select(newcomer.conversation);
    return;
  }
  const plain =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "") || "customer";
  const id = `${plain}-${crypto.getRandomValues(new Uint16Array(1))[0]}`;
  givenNames[id] = name;
  model.newcomers = [{ id, name, latest: null, conversation: PREFIX + id }, ...model.newcomers];
  select(PREFIX + id);
}

/** Updates at once, and often for a while, after an action. */
export function lookNow() {
  lively = LIVELY_ROUNDS;
  hurry = true;
  wakeUp();
}

/**
 * Updates the model repeatedly, except while the page is hidden, and calls `render` after every
 * update.
 */
export async function keepUp(render) {
  showNow = render;
  document.addEventListener("visibilitychange", () => document.hidden || lookNow());
  for (;;) {
    if (!document.hidden) {
      hurry = false;
      model.trouble = await trouble();
      render();
    }
    if (!hurry) await pause();
  }
}

function pause() {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, lively > 0 ? LIVELY_PAUSE : CALM_PAUSE);
    wakeUp = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

async function trouble() {
  try {
    await look();
    return null;
  } catch (error) {
    if (error instanceof Away) return "Baton is not answering. Reconnecting …";
    return error instanceof Refusal ? inWords(error) : `This page stumbled: ${error.message}`;
  } finally {
    lively -= 1;
    round += 1;
  }
}

async function look() {
  const { channel } = model;
  const everybody = await platform.everybody();
  if (model.channel !== channel) return;
  model.everybody = everybody;
  takeCustomers(everybody[channel]);
  const news = JSON.stringify([model.selected, everybody], withoutTyping);
  if (news !== latestNews) lively = LIVELY_ROUNDS;
  latestNews = news;
  await lookAtPhone();
  if (lively > 0 || round % CALM_ROUNDS_PER_LOOK === 0 || model.conversation?.pending)
    await lookAtBaton();
}

/** Baton has nothing more to tell while somebody types. */
const withoutTyping = (key, value) => (key === "typing" ? undefined : value);

function takeCustomers(customers) {
  // typing makes a customer known before their first message says their name
  model.customers = customers.map((one) => ({ ...one, name: one.name ?? givenNames[one.id] }));
  model.newcomers = model.newcomers.filter(
    (one) => !customers.some((known) => known.id === one.id),
  );
  if (!model.started && !model.selected && customers.length) select(customers[0].conversation);
  model.started = true;
}

async function lookAtPhone() {
  const id = customerId();
  const known = model.customers.find((one) => one.id === id);
  if (!known) return;
  model.typing = known.typing;
  const [latest, seen] = [known.latest ?? 0, model.transcript.at(-1)?.seq ?? 0];
  if (latest === seen) return;
  if (latest < seen) model.transcript = []; // the platform was started again
  const { transcript } = await platform.transcript(
    model.channel,
    id,
    model.transcript.at(-1)?.seq ?? 0,
  );
  if (customerId() === id) model.transcript = [...model.transcript, ...transcript];
}

async function lookAtBaton() {
  if (model.gone || round % CALM_ROUNDS_PER_LOOK === 0) await lookAtLists();
  if (!model.faults || round % ROUNDS_PER_LOOK_AT_FAULTS === 0) model.faults = await faults.read();
  if (model.selected && mayHaveNewTurns()) await lookAtBot(model.selected);
  const unheard = people().some((one) => one.id === customerId() && one.latest === null);
  if (model.selected && !unheard && !isGone(model.selected))
    await lookAtConversation(model.selected);
}

/**
 * Returns whether the chosen conversation is erased. It is requested again once the customer has
 * acted, or the desk's lists contain it. One that was never seen may still be on its way to Baton,
 * so it is requested now and then.
 */
function isGone(selected) {
  const listed = Object.values(model.lists)
    .flat()
    .some((one) => one.name === `conversations/${selected}`);
  return (
    model.gone !== null &&
    (model.gone.known || round % CALM_ROUNDS_PER_LOOK !== 0) &&
    !listed &&
    !model.crowded &&
    model.gone.latest === customerOf(selected)?.latest
  );
}

/**
 * The page shows how many customers wait. The other lists are read only while Baton does not have
 * the chosen conversation: they say whether it has it again.
 */
async function lookAtLists() {
  let more = false;
  for (const phase of model.gone ? Object.keys(model.lists) : [WAITING]) {
    const { conversations, nextCursor } = await baton.list(phase);
    more ||= Boolean(nextCursor);
    model.lists[phase] = ofCustomers(conversations);
  }
  model.crowded = more;
}

/** Only Dialogflow has turns. Which bot runs changes with a start of the server, if at all. */
const mayHaveNewTurns = () =>
  !model.bot || model.bot.bot === "dialogflow" || round % CALM_ROUNDS_PER_LOOK === 0;

async function lookAtBot(selected) {
  const told = await bot.of(selected);
  if (model.selected === selected) model.bot = told;
}

async function lookAtConversation(selected) {
  const before = model.conversation;
  const latest = customerOf(selected)?.latest;
  const own = await found(baton.get(selected));
  const conversation = own?.linkedTo ? await found(baton.get(own.linkedTo)) : own;
  const same = before && before.name === conversation?.name;
  const stale =
    conversation &&
    (!same || before.version !== conversation.version || before.pending || conversation.pending);
  if (conversation && !same) model.book = emptyBook();
  const entries = stale
    ? await readJournal(conversation.name.slice("conversations/".length), model.book)
    : conversation
      ? model.entries
      : [];
  const chat = await lookAtChat(conversation);
  const gone = conversation ? null : { latest, known: Boolean(before || model.gone?.known) };
  if (model.selected === selected) Object.assign(model, { conversation, gone, entries, chat });
}

async function lookAtChat(conversation) {
  const number = shownChat(conversation);
  if (number === undefined) return null;
  const { transcript } = await contactCenter.chat(number);
  return { number, transcript };
}

async function found(asked) {
  try {
    return await asked;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}
