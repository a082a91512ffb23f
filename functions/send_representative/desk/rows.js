// What of a journal people read in a transcript, and how it came there. Nothing here draws.

import { names } from "./words.js";

const CUSTOMER = ["user_message", "suggestion_response", "call_permission", "survey_response"];
const SPOKEN = { human_message: "human", bot_message: "bot", overheard: "bot" };
const FRAMES = { REPRESENTATIVE_JOINED: "joined", REPRESENTATIVE_LEFT: "left" };
// the worst comes first
const STATES = {
  failed: "failed",
  broken: "failed",
  unframed: "failed",
  unknown: "unknown",
  "waiting-for-customer": "waiting",
  pending: "sending",
};
const PASSING = ["transfer", "take_over"]; // what is said beside who came and left
const LINES = {
  human_requested: () => "Asked for a person",
  transfer: ({ representative }) => `${names([representative ?? {}])} passes the customer on`,
  take_over: ({ representative }) => `${names([representative ?? {}])} takes over`,
  offered: () => "Offered to a colleague",
  offer_timeout: () => "The offer was not answered in time",
  offer_ended: () => "The offer ended",
  person_gone: () => "A colleague’s page was closed",
  handoff_failed: () => "The customer was told that nobody is available",
  unclaimed_timeout: () => "Still waiting: nobody has claimed it",
  human_idle_timeout: () => "No answer for too long",
  undelivered: () => "A message did not reach the customer",
  number_moved: () => "The number belongs to another customer now",
  unsubscribed: () => "The customer does not want messages of the assistant",
  subscribed: () => "The customer wants messages of the assistant again",
  same_customer: () => "Two conversations of this customer became one",
  link: () => "Joined with another conversation",
  unlink: () => "Parted from another conversation",
  survey_asked: () => "A survey was sent",
};

/** Returns the rows of a transcript, the oldest first. */
export function rowsOf(entries) {
  const later = laterOf(entries);
  return entries.flatMap((entry) => rowsOfEntry(entry, later));
}

/** Returns what happened later to messages, by their ids: edits, deletions and reactions. */
function laterOf(entries) {
  const later = new Map();
  for (const entry of entries) {
    const about = entry.details?.about?.message;
    if (!about || entry.verdict !== "accepted") continue;
    if (!["edited", "revoked", "reaction"].includes(entry.kind)) continue;
    later.set(about, [...(later.get(about) ?? []), entry]);
  }
  const known = new Set(entries.map((one) => one.eventId));
  return { of: (id) => later.get(id) ?? [], knows: (id) => known.has(id) };
}

function rowsOfEntry(entry, later) {
  if (entry.kind === "noted") return [{ ...base(entry, "note"), ...spoken(entry) }];
  if (CUSTOMER.includes(entry.kind))
    return entry.verdict === "accepted" ? [customerRow(entry, later)] : [];
  if (["edited", "revoked", "reaction"].includes(entry.kind)) return changeRow(entry, later);
  const said = entry.kind in SPOKEN && wasSaid(entry) ? [spokenRow(entry)] : [];
  const { before, after } = frameRows(entry);
  const framed = [...before, ...said, ...after];
  if (entry.verdict !== "accepted" || (framed.length && !PASSING.includes(entry.kind)))
    return framed;
  return [...lineRow(entry), ...framed];
}

const base = (entry, type) => ({ type, id: entry.id, time: entry.time, seq: entry.seq });

const spoken = (entry) => ({
  name: entry.representative?.displayName ?? "Somebody",
  text: entry.text ?? "",
});

function customerRow(entry, later) {
  const row = {
    ...base(entry, "customer"),
    message: entry.eventId,
    text: entry.text ?? "",
    quote: entry.kind === "suggestion_response" ? null : (entry.details?.about?.text ?? null),
    files: filesOf(entry),
    beside: besideOf(entry.details ?? {}),
    reactions: [],
    mark: null,
  };
  for (const change of later.of(entry.eventId)) {
    if (change.kind === "edited") Object.assign(row, { text: change.text ?? "", mark: "edited" });
    if (change.kind === "revoked") row.mark = "deleted by the customer";
    if (change.kind === "reaction") row.reactions = reactionOf(change);
  }
  return row;
}

const reactionOf = ({ details }) => (details.reaction?.emoji ? [details.reaction.emoji] : []);

/** What changes an earlier message is shown there, or as a line where that is not loaded. */
function changeRow(entry, later) {
  if (entry.verdict !== "accepted" || later.knows(entry.details?.about?.message)) return [];
  const words = {
    edited: `Changed an earlier message: ${entry.text ?? ""}`,
    revoked: "Deleted an earlier message",
    reaction: `Reacted to an earlier message ${reactionOf(entry).join("")}`,
  };
  return [{ ...base(entry, "line"), text: words[entry.kind], name: null }];
}

function wasSaid(entry) {
  if (entry.kind === "overheard") return true;
  if (entry.verdict === "accepted") return true;
  return entry.verdict === "stale" && entry.commands.some((one) => one.kind === "message");
}

function spokenRow(entry) {
  const messages = entry.commands.filter((one) => one.kind === "message");
  const states = new Set(messages.map((one) => one.state));
  const worst = Object.keys(STATES).find((state) => states.has(state));
  return {
    ...base(entry, SPOKEN[entry.kind]),
    ...spoken(entry),
    message: entry.eventId,
    ids: [entry.eventId, ...messages.map((one) => one.id)],
    files: filesOf(entry),
    beside: besideOf(entry.details ?? {}),
    state: worst ? STATES[worst] : "sent",
    why: messages.find((one) => one.error)?.error ?? null,
    retryAt: messages.find((one) => one.retryAt)?.retryAt ?? null,
  };
}

/** The frames that an entry opened before its words, and those that it closed. */
function frameRows(entry) {
  const frames = entry.commands
    .filter((one) => one.eventType in FRAMES)
    .map((one, index) => ({
      ...base(entry, "line"),
      id: `${entry.id} ${index}`,
      frame: FRAMES[one.eventType],
      name: one.name ?? entry.representative?.displayName ?? "Somebody",
      text: FRAMES[one.eventType],
      because: entry.kind === "human_left" ? (entry.reason ?? null) : null,
    }));
  return {
    before: frames.filter((one) => one.frame === "joined"),
    after: frames.filter((one) => one.frame === "left"),
  };
}

function lineRow(entry) {
  const frame = { claim: "joined", human_joined: "joined", human_left: "left" }[entry.kind];
  if (frame) {
    const name = names([entry.representative ?? {}]);
    return [{ ...base(entry, "line"), frame, name, text: frame, because: null }];
  }
  const say = LINES[entry.kind];
  if (!say) return [];
  const because = entry.reason ?? null;
  return [{ ...base(entry, "line"), text: say(entry), name: null, because }];
}

const filesOf = (entry) =>
  (entry.details?.attachments ?? []).map((file, index) => ({
    ...file,
    place: [entry.id, index],
  }));

/** What came beside the words, one line for each part. */
function besideOf({ product, referral, choice, forwarded, order, location }) {
  return [
    choice?.description,
    product && `Asks about the product ${product.productId ?? product.catalogId}`,
    referral && `Came from ${referral.headline ?? referral.sourceUrl ?? "an ad"}`,
    order?.totals && `An order of ${Object.entries(order.totals).map(([k, v]) => `${v} ${k}`)}`,
    location && [location.name, location.address].filter(Boolean).join(", "),
    forwarded && "Forwarded",
  ].filter(Boolean);
}

/** The latest words that a list shows of a conversation: those of the assistant tell little. */
export function latestWords(rows) {
  const last = rows.findLast((row) => ["customer", "human"].includes(row.type));
  if (!last) return null;
  const text = last.text || (last.files?.length ? "[a file]" : "");
  return { text, by: last.type === "human" ? last.name : null };
}
