// The latest words of listed conversations, and how many of the customer's were not read yet. They
// are read for the rows that are in view, and again when a conversation's version goes on.

import { baton } from "./api.js";
import { latestWords, rowsOf } from "./rows.js";
import { changed, idOf, isMine, state } from "./state.js";

const ENTRIES = 12;
const AT_ONCE = 4;
const SEEN = "baton-desk-seen";
const KEPT = 500; // conversations

const wanted = new Map(); // versions by conversation
const reading = new Set(); // conversations whose words are on their way
let seen = JSON.parse(localStorage.getItem(SEEN) ?? "{}");

/** Asks for the latest words of a conversation, unless they are known. */
export function wantTail(conversation) {
  const id = idOf(conversation);
  if (state.tails.get(id)?.version === conversation.version || reading.has(id)) return;
  wanted.set(id, conversation.version);
  readSome();
}

function readSome() {
  while (reading.size < AT_ONCE && wanted.size) {
    const [[id, version]] = wanted;
    wanted.delete(id);
    reading.add(id);
    read(id, version).finally(() => {
      reading.delete(id);
      readSome();
    });
  }
}

async function read(id, version) {
  try {
    const { entries } = await baton.journal(id, ENTRIES, undefined);
    const rows = rowsOf(entries.sort((one, other) => one.seq - other.seq));
    const answered = rows.findLast((row) => row.type === "human")?.seq ?? 0;
    const theirs = rows.filter((row) => row.type === "customer" && row.seq > answered);
    const unanswered = theirs.map((row) => row.seq);
    state.tails.set(id, { version, words: latestWords(rows), unanswered });
  } catch {
    return; // the list shows no words, and asks again when it is next drawn
  }
  changed();
}

export const unread = (id) =>
  state.tails.get(id)?.unanswered.filter((seq) => seq > (seen[id] ?? 0)).length ?? 0;

/** Notes that a person reads the open conversation, as far as it is shown. */
export function noteSeen() {
  const { conversation, book } = state;
  if (!conversation || !book || document.hidden) return;
  const id = idOf(conversation);
  const last = book.entries.at(-1)?.seq ?? 0;
  if ((seen[id] ?? 0) >= last) return;
  const { [id]: _, ...others } = seen;
  seen = Object.fromEntries([...Object.entries(others), [id, last]].slice(-KEPT));
  localStorage.setItem(SEEN, JSON.stringify(seen));
}

/** The customer's messages in my conversations that I have not read. */
export const unreadOfMine = () =>
  state.lists.HUMAN.filter(isMine).reduce((sum, one) => sum + unread(idOf(one)), 0);
