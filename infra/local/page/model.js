// What the page knows, and how it keeps up: one request after the other, faster while things happen.

import { Away, Refusal, baton, platform } from "./api.js";
import { inWords } from "./words.js";

const CALM_PAUSE = 1000;
const LIVELY_PAUSE = 300;
const LIVELY_ROUNDS = 5;
const CALM_ROUNDS_PER_LOOK = 4; // without news from the platform, Baton itself is asked this seldom

export const PREFIX = "business_messages:";

export const model = {
  customers: [],
  newcomers: [],
  selected: null,
  ...nothingSeen(),
  lists: { QUEUED: [], HUMAN: [], BOT: [] },
  faults: null,
  trouble: null,
  started: false,
};

let lively = 0;
let round = 0;
let hurry = false;
let wakeUp = () => {};
let latestNews = "";
let showNow = () => {};

function nothingSeen() {
  return { transcript: [], typing: null, conversation: null, entries: [], book: { settled: [], cursor: null } };
}

/** The customer's own id on the simulated platform, null where the conversation lives elsewhere. */
export const customerId = () => (model.selected?.startsWith(PREFIX) ? model.selected.slice(PREFIX.length) : null);

export const people = () => [...model.newcomers, ...model.customers];

export function customerName(id = customerId()) {
  return people().find((one) => one.id === id)?.name ?? undefined;
}

export function select(conversation) {
  if (conversation === model.selected) return;
  Object.assign(model, nothingSeen(), { selected: conversation });
  history.replaceState(null, "", `#${new URLSearchParams({ conversation })}`);
  showNow();
  lookNow();
}

export function addNewcomer(name) {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "customer";
  const id = `${plain}-${crypto.getRandomValues(new Uint16Array(1))[0]}`;
  model.newcomers = [{ id, name, latest: null }, ...model.newcomers];
  select(PREFIX + id);
}

/** Looks at once, and often for a while: something was done. */
export function lookNow() {
  lively = LIVELY_ROUNDS;
  hurry = true;
  wakeUp();
}

/** Keeps the model up to date for ever, except while the page is hidden, and calls `render` after every look. */
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
  const { customers } = await platform.customers();
  takeCustomers(customers);
  const news = JSON.stringify([model.selected, customers]);
  if (news !== latestNews) lively = LIVELY_ROUNDS;
  latestNews = news;
  await lookAtPhone();
  if (lively > 0 || round % CALM_ROUNDS_PER_LOOK === 0 || model.conversation?.pending) await lookAtBaton();
}

function takeCustomers(customers) {
  model.customers = customers;
  model.newcomers = model.newcomers.filter((one) => !customers.some((known) => known.id === one.id));
  if (!model.started && !model.selected && customers.length) select(PREFIX + customers[0].id);
  model.started = true;
}

async function lookAtPhone() {
  const id = customerId();
  const known = model.customers.find((one) => one.id === id);
  if (!known) return;
  const seen = model.transcript.at(-1)?.seq ?? 0;
  if ((known.latest ?? 0) < seen) model.transcript = []; // the platform was started anew
  const { transcript, typing } = await platform.transcript(id, model.transcript.at(-1)?.seq ?? 0);
  if (customerId() !== id) return;
  model.transcript = [...model.transcript, ...transcript];
  model.typing = typing;
}

async function lookAtBaton() {
  for (const phase of Object.keys(model.lists)) {
    const { conversations } = await baton.list(phase);
    model.lists[phase] = conversations.filter((one) => !one.linkedTo);
  }
  if (round % CALM_ROUNDS_PER_LOOK === 0) model.faults = await platform.faults();
  const unheard = model.newcomers.some((one) => one.id === customerId());
  if (model.selected && !unheard) await lookAtConversation(model.selected);
}

async function lookAtConversation(selected) {
  const before = model.conversation;
  const conversation = await found(baton.get(selected));
  const stale = conversation && (!before || before.version !== conversation.version || before.pending || conversation.pending);
  const entries = stale ? await readJournal(selected, model.book) : model.entries;
  if (model.selected === selected) Object.assign(model, { conversation, entries });
}

async function found(asked) {
  try {
    return await asked;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** Reads from the first page that may still change; `book` remembers the pages before it. */
async function readJournal(conversation, book) {
  let cursor = book.cursor;
  let open = [];
  for (;;) {
    const page = await baton.journal(conversation, cursor);
    open.push(...page.entries);
    cursor = page.nextCursor;
    if (!cursor) return [...book.settled, ...open];
    if (open.every(isSettled)) {
      book.settled.push(...open);
      book.cursor = cursor;
      open = [];
    }
  }
}

const isSettled = (entry) => entry.commands.every((command) => !["pending", "broken"].includes(command.state));
