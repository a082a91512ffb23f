// The journal of a conversation, page by page. Pages that cannot change any more are not read
// again.

import { baton } from "./api.js";

export function emptyBook() {
  return { settled: [], cursor: null };
}

/** Reads from the first page that may still change. `book` keeps the pages before it. */
export async function readJournal(conversation, book) {
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

const isSettled = (entry) =>
  entry.commands.every((command) => !["pending", "broken"].includes(command.state));
