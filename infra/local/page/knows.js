// What Baton knows of the chosen conversation: its phase, the facts, and the journal.

import { attachmentsOf, newLink, withoutLinks } from "./attachments.js";
import { find, make, setText, show } from "/send_representative/desk/dom.js";
import { drawFiles } from "/send_representative/desk/files.js";
import { acting, model } from "./model.js";
import {
  besideInWords,
  clock,
  deskInWords,
  duration,
  entryInWords,
  erasedInWords,
  names,
  verdictInWords,
  waitedSince,
  wordsNow,
} from "./words.js";

const LONGEST_JOURNAL = 200;
// an end user of a contact center, not a conversation
const END_USER = "ccai:user-";
const EVENTS = { REPRESENTATIVE_JOINED: "JOINED", REPRESENTATIVE_LEFT: "LEFT" };
const WHAT = {
  message: "message to the customer",
  reaction: "reaction to the customer’s message",
  publish: "publish",
  post: "post to a webhook",
  desk: "tell the desk",
  team: "tell the team",
  record: "count for reports",
  stream: "publish for reports of your own",
  survey: "survey to the customer",
  comment: "comment in the CRM",
  keep_media: "copy the file",
  take_floor: "take control at the platform",
  give_floor: "give control back at the platform",
  free_slot: "free the place that it took of a person",
};

export function renderKnowledge() {
  renderPhase(model.conversation?.phase);
  show(find("facts"), facts(model.conversation), (fact) => fact.term, drawFact);
  for (const waited of find("facts").querySelectorAll("[data-since]"))
    setText(waited, waitedSince(waited.dataset.since));
  show(
    find("journal"),
    journal(),
    (one) => one.id,
    (one) => (one.empty ? make("li", { class: "empty" }, one.empty) : drawEntry(one)),
    withoutLinks,
  );
}

function renderPhase(phase) {
  find("phases").setAttribute("aria-label", phase ? `Phase: ${phase}` : "No conversation chosen");
  for (const place of find("phases").querySelectorAll(".place"))
    place.classList.toggle("here", place.dataset.phase === phase);
}

function facts(conversation) {
  if (!conversation) return [];
  const {
    representatives,
    waitingSince,
    pending,
    firstResponseSeconds,
    version,
    tracked,
    channels = [],
  } = conversation;
  const links = conversation.links.filter(
    (link) => !link.startsWith(END_USER) && !channels.some((one) => one.conversation === link),
  );
  return [
    { term: "Speaks", text: representatives.length ? names(representatives) : "the bot" },
    { term: "Waiting", since: waitingSince, text: "no" },
    { term: "Desk", text: deskInWords(conversation) ?? "none is asked" },
    { term: "Place in line", text: place(conversation) },
    { term: "Pending", text: pending ? `${pending} in the outbox` : "nothing", alarm: pending > 0 },
    {
      term: "First response",
      text:
        firstResponseSeconds === undefined ? "none yet" : `after ${duration(firstResponseSeconds)}`,
    },
    {
      term: "Linked",
      text: links[0] ?? (tracked ? "no, only tracked" : "no"),
      all: links.length > 1 ? links : undefined,
    },
    { term: "Version", text: String(version) },
  ];
}

const place = ({ queuePosition, queuePositionAtLeast }) =>
  queuePosition ? `${queuePosition}${queuePositionAtLeast ? " or later" : ""}` : "not in line";

function drawFact({ term, text, since, alarm, all }) {
  if (all) return make("div", {}, make("dt", {}, term), make("dd", {}, drawAll(all)));
  const told = make(
    "dd",
    { dir: "auto", class: alarm && "alarm", "data-since": since },
    since ? waitedSince(since) : text,
  );
  return make("div", {}, make("dt", {}, term), told);
}

function drawAll(links) {
  const list = make(
    "ul",
    { "aria-label": "Linked conversations" },
    ...links.map((link) => make("li", { dir: "auto" }, link)),
  );
  return make(
    "details",
    { class: "all" },
    make("summary", {}, `${links.length} conversations`),
    list,
  );
}

function journal() {
  if (model.gone) return [{ id: "empty", empty: erasedInWords(model.gone) }];
  if (!model.entries.length)
    return [
      {
        id: "empty",
        empty:
          "Every event of the chosen conversation is written here: " +
          "what came, what Baton did, and how that ended.",
      },
    ];
  return model.entries
    .slice(-LONGEST_JOURNAL)
    .map((one) => ({ ...one, now: wordsNow(one, model.entries) }))
    .reverse();
}

function drawEntry(entry) {
  const head = make(
    "p",
    { class: "entry-head" },
    make("time", { datetime: entry.time }, clock(entry.time)),
    make("b", {}, entryInWords(entry)),
    badge(entry.verdict),
    entry.outcome !== entry.verdict ? badge(entry.outcome) : null,
  );
  return make(
    "li",
    {},
    head,
    ...wordsOf(entry),
    drawFiles(attachmentsOf(entry), newLink),
    because(entry),
    commands(entry),
  );
}

/** The journal keeps the first words; the agent reads those that are true now. */
function wordsOf(entry) {
  const { text, mark } = entry.now;
  const beside = besideInWords(entry.details ?? {});
  return [
    text ? make("p", { class: "quote", dir: "auto" }, text) : null,
    mark ? make("span", { class: "badge" }, mark) : null,
    beside.length ? make("p", { class: "because", dir: "auto" }, beside.join(" · ")) : null,
  ];
}

const badge = (word) => make("span", { class: `badge ${word}`, title: word }, verdictInWords(word));

function because(entry) {
  const who = entry.representative
    ? [
        [entry.representative.representativeType, entry.representative.displayName]
          .filter(Boolean)
          .join(" "),
      ]
    : [];
  const away =
    acting() !== entry.source
      ? [`through ${entry.source.startsWith(END_USER) ? "the desk’s end user" : entry.source}`]
      : [];
  const reason =
    entry.reason && entry.reason !== entry.verdict && entry.reason !== entry.text
      ? [`reason: ${entry.reason}`]
      : [];
  const said = [...who, `by ${entry.actor}`, ...away, ...reason];
  return make("p", { class: "because", dir: "auto" }, said.join(" · "));
}

function commands(entry) {
  if (!entry.commands.length) return null;
  return make("ul", { class: "commands" }, ...entry.commands.map(drawCommand));
}

function drawCommand(command) {
  const what = EVENTS[command.eventType] ?? WHAT[command.kind] ?? command.kind;
  const tries = command.attempts
    ? `, ${command.attempts} failed ${command.attempts === 1 ? "try" : "tries"}`
    : "";
  const again = command.retryAt ? `, again at ${clock(command.retryAt)}` : "";
  const error = command.error ? ` (${command.error})` : "";
  const as = command.as ? ` as ${command.as}` : "";
  const to = command.topic
    ? ` to ${command.topic}`
    : command.audience
      ? ` of the ${command.audience}`
      : command.target
        ? ` in ${command.target}`
        : "";
  const counted = command.measures
    ? `: ${[...new Set(command.measures)].join(", ").replaceAll("_", " ")}`
    : "";
  return make(
    "li",
    {},
    `${what}${to}${as}${counted}${tries}${error}${again} `,
    badge(command.state),
  );
}
