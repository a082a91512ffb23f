// Words for readers: names, times, and Baton's terms.

const KINDS = {
  user_message: "customer wrote",
  suggestion_response: "customer tapped a suggestion",
  reaction: "customer reacted",
  call_permission: "customer answered about calls",
  edited: "customer changed a message",
  revoked: "customer deleted a message",
  survey_response: "customer answered a survey",
  authentication_response: "customer signed in",
  human_requested: "human asked for",
  bot_joined: "bot joined",
  bot_left: "bot left",
  survey_asked: "survey sent",
  human_joined: "human joined",
  claim: "human claims",
  human_message: "human says",
  bot_message: "bot says",
  overheard: "another sender says",
  noted: "note for colleagues",
  transfer: "human passes the customer on",
  take_over: "supervisor takes over",
  offered: "offered to a person",
  offer_ended: "the offer was declined or withdrawn",
  offer_timeout: "the offer was not answered",
  assign_timeout: "the next person is looked for",
  person_gone: "a person’s page is closed",
  floor_moved: "another sender is active",
  human_left: "human leaves",
  handoff_failed: "nobody available",
  unclaimed_timeout: "nobody claimed it in time",
  human_idle_timeout: "human was silent too long",
  virtual_agent_joined: "virtual agent joined",
  virtual_agent_left: "virtual agent left",
  variables_captured: "variables captured",
  notify: "the team is told",
  link: "linked",
  unlink: "unlinked",
  names: "the customer has another name",
  names_changed: "the customer’s names have changed",
  same_customer: "two conversations became one",
  identity_conflict: "two conversations of one customer stay apart",
  number_moved: "the number is another customer’s now",
  rename: "a name was moved",
  count_due: "messages are counted",
  reopen_timeout: "the customer has not come back",
  template_lost: "the template was refused",
  unknown: "unknown event",
};

const REFUSALS = {
  "human-present": (holder) =>
    `${holder} holds this conversation. The bot stays silent until they leave.`,
  "not-active": () =>
    "another sender is active at the platform. The bot stays silent; a human may claim it.",
  "unknown-conversation": () =>
    "Baton has not heard of this customer yet. Write something as the customer first.",
  "already-linked": () => "it belongs to another customer already. Part it there first.",
  "number-moved": () =>
    "the customer’s number is another customer’s now. Wait until they write again.",
  "outside-window": () => "the customer’s last message is too old. Wait until they write again.",
  "outbox-pending": () => "something is still being delivered there. Try again in a moment.",
  "both-held": (holder) =>
    `humans are present on both sides (${holder}). Let those of one leave first.`,
  "desk-called": () => "on each side a desk has the handoff. Join them after the end of one.",
  tracked: () => "its own platform has the people and delivers their words. Answer there.",
  chain: () => "both have joined channels of their own. Part those of one first.",
};

const KEY_TROUBLE =
  "Baton refused this page’s development key. " +
  "Does the environment set BATON_API_KEYS or CSKU_WEBHOOK_SECRETS? " +
  "Start it without them, or add dev-bot, dev-agent, dev-admin and dev-csku-secret.";

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

const dayFormat = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
});
const TITLES = { business_messages: "Business Messages", rcs: "RCS", whatsapp: "WhatsApp" };

export const day = (time) => dayFormat.format(new Date(time));

export const channelTitle = (conversation) => TITLES[conversation.split(":")[0]] ?? conversation;

/** Returns which desk has a handoff, or was closed, and when it opens. */
export function deskInWords({ desk, opensAt, closedDesk, closedUntil }) {
  if (desk) return opensAt ? `${desk}, opens ${day(opensAt)}` : `${desk}, open`;
  return Date.parse(closedUntil) > Date.now()
    ? `${closedDesk}, closed until ${day(closedUntil)}`
    : null;
}

export const clock = (time) => clockFormat.format(new Date(time));

const LATER = ["edited", "revoked"];
const CHAT = "ccai:chat-";

/** Returns the name of a journal entry. Where the entry changes nothing, the name of the cause. */
export function entryInWords({ kind, source, eventId = "", verdict }) {
  if (kind === "unknown" && eventId.startsWith("chat_created:")) return "the desk made a chat";
  if (kind === "chat_created") return "the desk says whose chat it is";
  const ends = kind === "handoff_failed" && eventId.startsWith("ended:");
  if (ends && verdict === "ignored")
    return source.startsWith(CHAT) ? "the desk’s chat ended" : "the desk ended its side";
  return KINDS[kind] ?? kind.replaceAll("_", " ");
}

/** Returns why Baton has no data of a conversation. `known` is true if it had some. */
export const erasedInWords = ({ known }) =>
  known
    ? "Erased: Baton keeps nothing of this conversation. " +
      "It begins again when the customer writes again."
    : "Baton has nothing of this conversation: it was erased, " +
      "or what the customer wrote has not arrived yet.";

/** Returns the outcome of an entry or a command. */
export const verdictInWords = (verdict) => (verdict === "ignored" ? "nothing follows" : verdict);

export function inWords(error) {
  if (error.status === 401 || error.status === 403)
    return error.reason in REFUSALS ? refusal(error) : KEY_TROUBLE;
  return error.status === undefined ? error.message : refusal(error);
}

function refusal(error) {
  const say = REFUSALS[error.reason];
  const why = say ? say(error.metadata.holder ?? "Somebody") : error.message;
  return `Refused (${error.status} ${error.reason}): ${why}`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = String(Math.floor((whole % 3600) / 60)).padStart(2, "0");
  return `${Math.floor(whole / 3600)} h ${minutes} min`;
}

export const waitedSince = (time) => duration((Date.now() - Date.parse(time)) / 1000);

export function initials(name) {
  const words = (name || "?").trim().split(/\s+/).filter(Boolean);
  const letters = [words[0], ...(words.length > 1 ? [words.at(-1)] : [])].map(
    (word) => [...(word ?? "?")][0],
  );
  return letters.join("").toLocaleUpperCase();
}

export const names = (representatives) =>
  representatives.map((one) => one.displayName || "Somebody").join(", ");

/** Returns the words of a customer as they are now: as last edited, or that they are deleted. */
export function wordsNow(entry, entries) {
  const later = entries.filter(
    (one) => one.details?.about?.message === entry.eventId && LATER.includes(one.kind),
  );
  const last = later.at(-1);
  if (!last) return { text: entry.text, mark: null };
  return last.kind === "revoked"
    ? { text: entry.text, mark: "deleted" }
    : { text: last.text, mark: "edited" };
}

/** Returns what came beside the words of an entry, one line for each part. */
export function besideInWords({ about, product, referral, reaction, choice, forwarded }) {
  return [
    about && `about: ${about.text ? `“${about.text}”` : about.message}`,
    reaction && (reaction.emoji ? `reaction: ${reaction.emoji}` : "the reaction was taken back"),
    product && `product: ${product.productId ?? product.catalogId}`,
    referral && `from an ad: ${referral.headline ?? referral.sourceUrl ?? referral.sourceId}`,
    choice?.description,
    forwarded && `forwarded ${forwarded}`,
  ].filter(Boolean);
}

/** Returns the text of a message of any form: nothing for a file without a caption. */
export function said(body) {
  if (body.text !== undefined) return body.text;
  if (body.files) return "";
  const card = body.richCard?.standaloneCard?.cardContent ?? {};
  return (
    [card.title, card.description].filter(Boolean).join("\n") ||
    body.fallback ||
    (body.image?.contentInfo?.altText ?? (body.image || body.contentInfo ? "" : "[card]"))
  );
}
