// Keeps what the page shows up to date: the lists, and the conversation that is open.

import { Away, baton } from "./api.js";
import { Book } from "./book.js";
import { noteDevice } from "./devices.js";
import { page } from "./page.js";
import { changed, idOf, isMine, state } from "./state.js";
import { inWords } from "./words.js";

const CALM_PAUSE = 2000;
const LIVELY_PAUSE = 400;
const LIVELY_ROUNDS = 6;
const HIDDEN_PAUSE = 5000;
const AWAY = "Baton does not answer. Your words are kept; reconnecting …";
const PAGES = 10; // of a hundred conversations

const AFTER_TROUBLE = 3000;
const SELDOM = 15_000; // for what Baton does not know any more

const work = { trouble: null, looking: null }; // what went wrong last
let seenWork = ""; // the versions of all that a person sees
let lively = 0;
let hurry = false;
let missedAt = 0; // when Baton said that it does not know the open conversation
let wake = () => {};

/** Looks at once, and often for a while: something was done. */
export function lookNow() {
  lively = LIVELY_ROUNDS;
  hurry = true;
  missedAt = 0;
  wake();
}

export function keepUp() {
  document.addEventListener("visibilitychange", () => document.hidden || lookNow());
  addEventListener("online", lookNow);
  if (state.me.kind === "person") followWork();
  keepLooking();
}

/** A person's own lists come when they change. A system's key asks for them again and again. */
async function followWork() {
  let since = "";
  for (;;) {
    try {
      const now = await baton.live(since, page);
      since = now.since;
      work.trouble = null;
      now.mine.forEach(noteDevice);
      if (takeWork(now)) lookNow();
      else changed(); // only a device has told something
    } catch (error) {
      work.trouble = inWordsOf(error);
      changed();
      await new Promise((resolve) => setTimeout(resolve, AFTER_TROUBLE));
    }
  }
}

/** Returns whether the person's work is not what it was. */
function takeWork({ presence, mine, queue, held = [] }) {
  const lists = [mine, queue, held].map((all) => all.map((one) => [one.name, one.version]));
  const before = seenWork;
  seenWork = JSON.stringify([presence.state, presence.slots, lists]);
  if (seenWork === before) return false;
  state.presence = presence;
  const known = new Map([...held, ...mine].map((one) => [one.name, one]));
  const inQueue = new Map([...queue, ...mine.filter(isQueued)].map((one) => [one.name, one]));
  state.lists.QUEUED = [...inQueue.values()].filter(isQueued).filter(isCustomers);
  state.lists.HUMAN = [...known.values()].filter((one) => !isQueued(one)).filter(isCustomers);
  changed();
  return true;
}

const isQueued = (one) => one.phase === "QUEUED";

async function keepLooking() {
  for (;;) {
    hurry = false;
    work.looking = await trouble();
    state.trouble = work.looking ?? work.trouble;
    lively -= 1;
    changed();
    if (!hurry) await pause();
  }
}

function pause() {
  const calm = document.hidden ? HIDDEN_PAUSE : CALM_PAUSE;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, lively > 0 ? LIVELY_PAUSE : calm);
    wake = () => {
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
    return inWordsOf(error);
  }
}

function inWordsOf(error) {
  if (error instanceof Away) return AWAY;
  return error.status === undefined ? `This page stumbled: ${error.message}` : inWords(error);
}

async function look() {
  const asks = state.open && !isUpToDate(state.open) && !(state.gone && wasMissed());
  await Promise.all([lookAtLists(), asks ? lookAtConversation(state.open) : null]);
}

const wasMissed = () => Date.now() - missedAt < SELDOM;

/** A person hears of their conversations, so one of them is asked for only after a change. */
function isUpToDate(id) {
  const { book, conversation } = state;
  if (state.me.kind !== "person" || lively > 0 || !book || book.isOpen()) return false;
  const { QUEUED, HUMAN } = state.lists;
  const listed = [...QUEUED, ...HUMAN].find((one) => idOf(one) === id);
  return Boolean(listed) && !conversation?.pending && listed.version === book.version;
}

async function lookAtLists() {
  const own = state.me.kind === "person" ? [] : ["QUEUED", "HUMAN"];
  const phases = [...own, ...(state.showsBot ? ["BOT"] : [])];
  const found = await Promise.all(phases.map(everyOne));
  phases.forEach((phase, index) => {
    state.lists[phase] = found[index].filter(isCustomers);
  });
}

/** Chats at desks, and what is joined to another conversation, are no customers of their own. */
const isCustomers = (one) =>
  !one.linkedTo && (!one.tracked || isMine(one)) && !idOf(one).startsWith("ccai:");

async function everyOne(phase) {
  const all = [];
  let cursor;
  for (let page = 0; page < PAGES; page += 1) {
    const found = await baton.list(phase, cursor);
    all.push(...found.conversations);
    cursor = found.nextCursor;
    if (!cursor) break;
  }
  return all;
}

async function lookAtConversation(id) {
  let now;
  try {
    now = await baton.get(id);
    if (now.linkedTo) now = await baton.get(now.linkedTo);
  } catch (error) {
    if (error.status !== 404) throw error;
    missedAt = Date.now();
    if (state.open === id) Object.assign(state, { gone: true, conversation: null, book: null });
    return;
  }
  noteDevice(now);
  const name = idOf(now);
  const book = state.book?.conversation === name ? state.book : new Book(name);
  const stale = book.version !== now.version || now.pending > 0 || book.isOpen();
  if (stale) await book.readLatest(now.version);
  if (state.open !== id || isOutdated(now)) return;
  Object.assign(state, { gone: false, conversation: now, book });
}

/** An answer may be older than that to what a person has just done. */
const isOutdated = (now) =>
  state.conversation?.name === now.name && now.version < state.conversation.version;

/** Shows a conversation, as its list knows it until Baton has answered. */
export function open(id) {
  if (id === state.open) return;
  const listed = Object.values(state.lists).flat();
  const conversation = listed.find((one) => idOf(one) === id) ?? null;
  Object.assign(state, { open: id, conversation, gone: false, book: null });
  changed();
  if (id) lookNow();
}

/** Reads older parts of the open conversation. Returns whether there were any. */
export async function readOlder() {
  const { book } = state;
  const found = book ? await book.readOlder() : false;
  if (found) changed();
  return found;
}
