// What a person has begun to write, for each conversation. It outlives a reload.

const DRAFTS = "baton-desk-drafts";
const KEPT = 100; // conversations

const read = () => JSON.parse(localStorage.getItem(DRAFTS) ?? "{}");

/** Returns what was begun in this conversation: as a reply, or as a note. */
export const draftOf = (conversation, mode) => read()[conversation]?.[mode] ?? "";

export function keepDraft(conversation, mode, text) {
  const { [conversation]: before, ...others } = read();
  const now = { ...before, [mode]: text };
  const kept = Object.entries(others);
  if (now.reply || now.note) kept.push([conversation, now]);
  localStorage.setItem(DRAFTS, JSON.stringify(Object.fromEntries(kept.slice(-KEPT))));
}
