// What Baton knows of the open conversation, beside the transcript.

import { find, make, show } from "./dom.js";
import { idOf, state } from "./state.js";
import { channelOf, clock, duration, language, moment, names } from "./words.js";

export function drawKnows() {
  const { conversation, book } = state;
  if (!conversation) return;
  show(find("facts"), factsOf(conversation), (one) => one.term, drawFact);
  const { tried, ...others } = conversation.requestMetadata ?? {};
  find("tried-part").hidden = tried === undefined;
  const steps = [tried ?? []].flat().map((step, index) => ({ index, text: plain(step) }));
  show(find("tried"), steps, ({ index }) => index, ({ text }) => make("li", { dir: "auto" }, text));
  fill("metadata", Object.entries(others).map(pair));
  fill("variables", Object.entries(conversation.variables).map(pair));
  fill("handoffs", handoffsOf(book?.entries ?? []));
}

const pair = ([term, value]) => ({ term, text: plain(value) });
function plain(value) {
  if (Array.isArray(value)) return value.map(plain).join("\n");
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}

/** A part without content is not shown. */
function fill(name, items) {
  find(`${name}-part`).hidden = !items.length;
  show(find(name), items, (one) => one.term, drawFact);
}

function factsOf(conversation) {
  const { channels, closedUntil, closedDesk } = conversation;
  const id = idOf(conversation);
  const facts = {
    Channel: channels ? channels.map(channelInWords).join("\n") : channelOf(id),
    Language: language(conversation.locale),
    "Who is here": names(conversation.representatives),
    "Asked because": conversation.requestReason,
    "Waits since": conversation.waitingSince && moment(conversation.waitingSince),
    "Place in line": placeOf(conversation),
    Desk: conversation.desk,
    "Desk opens": conversation.opensAt && moment(conversation.opensAt),
    "Desk was closed":
      Date.parse(closedUntil) > Date.now() ? `${closedDesk}, until ${moment(closedUntil)}` : null,
    "First response": conversation.firstResponseSeconds && firstResponse(conversation),
    "On its way": conversation.pending ? `${conversation.pending} to be delivered` : null,
    "Linked with": conversation.links.join("\n"),
    Conversation: id,
  };
  return Object.entries(facts)
    .filter(([, text]) => text)
    .map(([term, text]) => ({ term, text: String(text) }));
}

const firstResponse = (conversation) => `after ${duration(conversation.firstResponseSeconds)}`;

const placeOf = ({ queuePosition, queuePositionAtLeast }) =>
  queuePosition && `${queuePosition}${queuePositionAtLeast ? " or later" : ""}`;

const channelInWords = ({ conversation, inUse, lastUserAt }) =>
  [channelOf(conversation), inUse ? "in use" : lastUserAt && `last on ${moment(lastUserAt)}`]
    .filter(Boolean)
    .join(", ");

/** Who was with the customer before, as far as the journal was read. */
function handoffsOf(entries) {
  return entries
    .flatMap((entry) => entry.commands.map((command) => ({ entry, command })))
    .filter(({ command }) => command.eventType === "REPRESENTATIVE_LEFT")
    .map(({ entry, command }) => ({
      term: `${moment(entry.time)}`,
      text: `${command.name ?? "Somebody"} left at ${clock(entry.time)}`,
    }))
    .reverse();
}

const drawFact = ({ term, text }) =>
  make("div", {}, make("dt", { dir: "auto" }, term), make("dd", { dir: "auto" }, text));
