// The files of the journal's entries. Each reading of the journal has new links to them.

import { acting } from "./model.js";
import { emptyBook, readJournal } from "./journal.js";

/** Returns the files of an entry, each with `link()`. */
export const attachmentsOf = (entry) =>
  (entry.details?.attachments ?? []).map((file, index) => ({
    ...file,
    url: undefined,
    urlExpiresAt: undefined,
    place: [entry.id, index],
    link: () => ownPath(file.url),
  }));

/** Returns an entry without what differs each time it is read. */
export function withoutLinks(entry) {
  const { attachments, ...details } = entry.details ?? {};
  if (!attachments) return entry;
  const lasting = attachments.map(({ url, urlExpiresAt, ...file }) => file);
  return { ...entry, details: { ...details, attachments: lasting } };
}

/** Reads the journal again, and returns a new link to a file. */
export async function newLink({ place: [id, index] }) {
  const entries = await readJournal(acting(), emptyBook());
  return ownPath(entries.find((one) => one.id === id)?.details?.attachments?.[index]?.url);
}

/** A link to this run is used under the name by which the page was opened. */
function ownPath(url) {
  if (!url) return null;
  const { pathname, search } = new URL(url, location.href);
  return pathname.startsWith("/relay_media/") ? pathname + search : url;
}
