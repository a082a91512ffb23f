// Words for readers: names, times, Baton's terms, and what went wrong.

const CHANNELS = {
  business_messages: "Business Messages",
  rcs: "RCS",
  whatsapp: "WhatsApp",
  csku: "CSKU",
  ccai: "CCAI Platform",
};

const REFUSALS = {
  "human-present": (holder) => `${holder} is with the customer.`,
  held: (holder) => `${holder} was quicker, and is with the customer.`,
  "not-joined": () => "You are not in this conversation. Claim it first.",
  "not-yours": (holder) => `${holder} was brought in by another key, which alone may let them go.`,
  "unknown-conversation": () => "Baton does not know this conversation any more.",
  "human-here": (holder) => `${holder} is with the customer.`,
  moved: (holder) =>
    `Something changed meanwhile: ${holder ? `${holder} is there now` : "nobody is there now"}.`,
  "offer-over": () => "This offer is over.",
  "not-available": () => "This colleague is not available now. Choose another one, or the queue.",
  "already-here": () => "This colleague is here already.",
  "no-such-agent": () => "There is no such colleague.",
  "outside-window": () =>
    "The customer wrote too long ago for this channel. Wait until they write again.",
  tracked: () => "Its own platform delivers this conversation. Answer there.",
  "human-only": () => "Your key may not answer customers.",
  "may-not-speak": () => "Your key may not answer customers.",
};

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const momentFormat = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});

export const clock = (time) => clockFormat.format(new Date(time));
export const day = (time) => dayFormat.format(new Date(time));
export const moment = (time) => momentFormat.format(new Date(time));

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400)
    return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  const days = Math.floor(whole / 86_400);
  return days === 1 ? "1 day" : `${days} days`;
}

/** Returns how long it is until then. */
export const until = (time) => duration((Date.parse(time) - Date.now()) / 1000);

export const since = (time) => duration((Date.now() - Date.parse(time)) / 1000);

export function channelOf(id) {
  const platform = id.split(":")[0];
  return CHANNELS[platform] ?? platform;
}

export function language(locale) {
  if (!locale) return null;
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(locale);
  } catch {
    return locale; // no name that browsers know
  }
}

const onlyId = (id) => id.slice(id.indexOf(":") + 1);

/** The name of a customer; where Baton has none, the end of their id tells them apart. */
export const customerName = ({ customerName: name, name: resource }) =>
  name || `Customer …${onlyId(resource).slice(-6)}`;

export const names = (representatives) =>
  representatives.map((one) => one.displayName || "Somebody").join(", ");

/** Returns what went wrong, and what to do, in words. */
export function inWords(error) {
  if (error.status === 401) return "You are signed out. Sign in again; your words are kept.";
  const say = REFUSALS[error.reason];
  return say ? say(error.metadata?.holder ?? "Somebody") : error.message;
}
