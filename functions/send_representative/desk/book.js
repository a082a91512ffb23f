// The journal of one conversation, as far as it was read: from its end backwards.

import { baton } from "./api.js";

const FIRST = 50; // entries
const MOST = 100;

export class Book {
  constructor(conversation) {
    this.conversation = conversation;
    this.entries = []; // the oldest first
    this.older = null; // the cursor of what comes before them
    this.version = -1;
  }

  /** Reads what is new, and entries that had not come to their end. */
  async readLatest(version) {
    const seen = this.entries.at(-1)?.seq ?? 0;
    const from = Math.min(seen, ...this.entries.filter(isOpen).map((one) => one.seq));
    const limit = this.entries.length ? Math.min(MOST, version - from + 3) : FIRST;
    const page = await baton.journal(this.conversation, Math.max(limit, 3), undefined);
    const known = new Set(this.entries.map((one) => one.id));
    const goesOn = page.entries.some((one) => known.has(one.id));
    if (!goesOn) Object.assign(this, { entries: [], older: page.nextCursor ?? null });
    this.entries = inSequence(merged(this.entries, page.entries));
    this.version = version;
  }

  /** Reads the page before the oldest entry that is known. Returns whether there was one. */
  async readOlder() {
    if (!this.older) return false;
    const cursor = this.older;
    const page = await baton.journal(this.conversation, FIRST, cursor);
    if (this.older !== cursor) return false;
    this.older = page.nextCursor ?? null;
    // a conversation that became part of this one has a journal with sequences of its own
    const lowest = this.entries[0];
    const isFormer = lowest && page.entries.some((one) => one.seq > lowest.seq);
    const part = (lowest?.part ?? 0) - (isFormer ? 1 : 0);
    this.entries = inSequence(merged(this.entries, page.entries, part));
    return true;
  }

  /** Returns whether something of it may still change by itself. */
  isOpen = () => this.entries.some(isOpen);
}

const isOpen = (entry) =>
  entry.commands.some((command) => ["pending", "broken"].includes(command.state));

function merged(known, read, part = 0) {
  const fresh = new Map(read.map((one) => [one.id, { part, ...one }]));
  const kept = known.map((one) => {
    const now = fresh.get(one.id);
    fresh.delete(one.id);
    return now ? { ...now, part: one.part } : one;
  });
  return [...kept, ...fresh.values()];
}

const inSequence = (entries) =>
  entries.sort(
    (one, other) =>
      one.part - other.part || one.seq - other.seq || (one.time < other.time ? -1 : 1),
  );
