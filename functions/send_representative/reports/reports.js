// The reports of one deployment: requests them, and shows figures, charts and numbers.

import { csv, everything, queue, whoIsSignedIn } from "./api.js";
import { draw, keepReadable } from "./charts.js";
import { classNames, duration, find, make, percent, table } from "./dom.js";
import { askNoKey, asked, fill, givenKey, keepKey, take } from "./form.js";
import {
  WEEKDAYS,
  before,
  day,
  local,
  preset,
  shifted,
  todayAndLastWeek,
  weekday,
} from "./time.js";

const QUEUE_EVERY = 30_000;
const REFRESH_EVERY = 300_000;
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
let newest = 0; // what was asked last; the answer to anything before it comes too late
let looking = false; // at who waits
let seen = null; // what is shown: its period, and when who waits was last known and how many

/** Asks for the report of the form and shows it below the notices. */
async function show(notice = null) {
  const mine = (newest += 1);
  let trouble = notice;
  find("main").setAttribute("aria-busy", "true");
  try {
    const [period, key, now] = [asked(), givenKey(), new Date()];
    const week = todayAndLastWeek(now, period.tz);
    const answer = await everything(period, before(period), week, key);
    if (mine !== newest) return;
    keepKey(key);
    find("hint").hidden = true;
    find("main").hidden = false;
    showAll(period, week.date, now, answer);
    seen = { at: now, period, key, count: answer.waiting?.length };
  } catch (error) {
    trouble = said(error);
  }
  if (mine !== newest) return;
  setTrouble(trouble);
  find("main").setAttribute("aria-busy", "false");
}

function showAll(period, date, at, answer) {
  const { now, then, hoursThen, found, waiting } = answer;
  showToday(now.total, then.total, found.total, date, local(at, period.tz).slice(-5));
  showQueue(waiting, now.total.waiting.open);
  if (!showNothing(found.total, period)) return;
  showHoursOfToday(now, hoursThen, date);
  const [days, hours, channels, desks, ...others] = found.reports;
  const [channelsBefore, desksBefore, ...othersBefore] = answer.before.reports;
  showPeriod(found, answer.before.total, period);
  showDays(days);
  showHours(hours);
  showReasons(others[0].rows, othersBefore[0].rows);
  showMessages(found, answer.before.total, others.slice(1), othersBefore.slice(1));
  showWho({ channels, channelsBefore, desks, desksBefore, ...answer });
}

/** Shows one sentence in place of empty charts. Returns whether there are figures to show. */
function showNothing({ conversations, requested, unasked }, period) {
  const some = conversations + requested + unasked > 0;
  for (const section of find("main").querySelectorAll("section:not(:first-of-type)"))
    section.hidden = (section.id === "nothing") === some;
  const last = shifted(period.to, -1);
  find("nothing-title").textContent = `${period.from} to ${last}, ${period.tz}`;
  find("nothing-words").textContent =
    "No customer wrote in these days, and none asked for a person. Choose other days above.";
  return some;
}

/** Updates the waiting customers, unless a request is in flight. */
async function look() {
  if (document.hidden || looking || !seen || find("main").getAttribute("aria-busy") === "true")
    return;
  const [mine, at] = [newest, new Date()];
  looking = true;
  const found = await queue(seen.key).catch((error) => error);
  looking = false;
  if (mine !== newest) return;
  if (found instanceof Error) return showUnknown(found);
  seen = { ...seen, at, count: found?.length };
  if (found) showQueue(found);
}

/** Asks for everything again, where the period goes on and somebody looks. */
function refresh() {
  if (document.hidden || !seen || !find("auto").checked) return;
  if (day(new Date(), seen.period.tz) < seen.period.to) void show();
}

function said(error) {
  if (error.status !== 401) return error.message;
  return givenKey() === null
    ? "You are not signed in any more. Load the page again."
    : "This key was not accepted.";
}

function setTrouble(text) {
  find("trouble").hidden = text === null;
  find("trouble").textContent = text ?? "";
}

function showToday(now, then, period, date, time) {
  find("today-note").textContent =
    `Today until ${time}, beside as many hours of last ${weekday(date)}.`;
  const tile = (name, value, before) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value, make("small", {}, before)));
  find("tiles").replaceChildren(
    tile("Waiting now", "", ""),
    tile("With a person now", String(period.withHuman), "of those in the period below"),
    tile("Requests for a human", String(now.requested), `last week ${then.requested}`),
    tile(
      "Half were answered within",
      duration(now.firstResponse.median),
      `last week ${duration(then.firstResponse.median)}`,
    ),
    tile(
      "9 of 10 were answered within",
      duration(now.firstResponse.p90),
      `last week ${duration(then.firstResponse.p90)}`,
    ),
    tile("Not answered", String(unanswered(now)), `last week ${unanswered(then)}`),
    tile("Went to a person", percent(now.handoffRate), `last week ${percent(then.handoffRate)}`),
  );
}

/** Returns the mean answer to the survey, and how many answered. */
const satisfaction = ({ ratingSum, rated }) =>
  rated ? `${(ratingSum / rated).toFixed(1)} (${rated})` : "–";

/** Returns the messages of customers, the bot and people. */
const messages = (row) => row.customerMessages + row.botMessages + row.humanMessages;

/** Returns how many customers no person answered: none was available, or they waited in vain. */
const unanswered = (row) => row.failed + row.expired;

function showWaiting(count, words) {
  find("tiles")
    .querySelector("dd")
    .replaceChildren(count, make("small", {}, words));
}

function showUnknown(error) {
  const since = local(seen.at, seen.period.tz);
  showWaiting("?", `not known since ${since}, when it was ${seen.count}. ${said(error)}`);
  find("queue").prepend(
    find("queue-old") ?? make("p", { class: "note", id: "queue-old" }, `As it was on ${since}.`),
  );
}

/** Without `waiting`, which a key for reports does not show, it says how many of today wait. */
function showQueue(waiting, openToday) {
  if (!waiting) {
    showWaiting(String(openToday), "of those who asked today");
    const words = "Who they are is shown to keys of desks and admins.";
    return find("queue").replaceChildren(make("p", { class: "note" }, words));
  }
  const age = (one) => duration((Date.now() - Date.parse(one.waitingSince)) / 1000);
  showWaiting(String(waiting.length), waiting.length ? `longest ${age(waiting[0])}` : "nobody");
  const rows = waiting.map((one) => [
    one.name.replace("conversations/", ""),
    one.requestReason,
    age(one),
  ]);
  find("queue").replaceChildren(
    waiting.length
      ? table("Longest wait first", ["Conversation", "Why", "Waits for"], rows)
      : make("p", { class: "note" }, "No customer waits."),
  );
}

function showHoursOfToday(now, then, date) {
  const requested = (found) => {
    const known = new Map(found.rows.map((row) => [row.by.hour.split(" ")[1], row.requested]));
    return HOURS.map((hour) => known.get(hour) ?? 0);
  };
  const series = [
    { name: "today", values: requested(now) },
    { name: `last ${weekday(date)}`, values: requested(then) },
  ];
  const total = series
    .map(({ name, values }) => `${values.reduce((sum, one) => sum + one, 0)} ${name}`)
    .join(", ");
  const rows = HOURS.map((hour, index) =>
    [`${hour}:00`, ...series.map(({ values }) => values[index])].map(String),
  );
  draw(
    "today",
    "Today against last week",
    `Requests in each hour: ${total}.`,
    { kind: "bar", names: HOURS, series },
    table("Requests by hour of the day", ["Hour", ...series.map(({ name }) => name)], rows),
  );
}

// Each handoff has one of these outcomes. Their sum is the requested handoffs and the humans who
// joined without a request.
const OUTCOMES = [
  ["left", "A person came, and has left"],
  ["returned", "A person came, and went quiet"],
  ["withHuman", "With a person now"],
  ["waiting", "Still waiting"],
  ["failed", "No person was available"],
  ["closed", "Asked while the desk was closed"],
  ["expired", "Waited in vain"],
  ["linked", "Goes on in another conversation"],
  ["erased", "Erased while waiting"],
];
const outcome = (row, name) => (name === "waiting" ? row.waiting.open : row[name]);

/** The figures of a period as tiles, each beside that of the period before. */
function showFigures(now, then) {
  const figures = [
    ["Customers who wrote", (row) => String(row.conversations)],
    ["Messages", (row) => String(messages(row))],
    ["Requests for a person", (row) => String(row.requested)],
    ["Went from the bot to a person", (row) => percent(row.handoffRate)],
    ["Half waited at most", (row) => duration(row.waiting.median)],
    ["9 of 10 waited at most", (row) => duration(row.waiting.p90)],
    ["Half were answered within", (row) => duration(row.firstResponse.median)],
    ["9 of 10 were answered within", (row) => duration(row.firstResponse.p90)],
    ["Half were with a person at most", (row) => duration(row.handling.median)],
    ["Half of handoffs took at most", (row) => `${row.exchanged.median ?? "–"} messages`],
    ["Gave up, not answered", (row) => String(unanswered(row))],
    ["Passed on to a colleague", (row) => String(row.transferred)],
    ["How content, from 1 to 5", satisfaction],
  ];
  find("figures").replaceChildren(
    ...figures.map(([name, words]) => {
      const earlier = make("small", {}, `before ${words(then)}`);
      return make("div", {}, make("dt", {}, name), make("dd", {}, words(now), earlier));
    }),
  );
}

function showPeriod(found, earlier, period) {
  const { total } = found;
  const { from, to } = before(period);
  find("period-title").textContent =
    `${period.from} to ${shifted(period.to, -1)}, ${period.tz}. ` +
    `Before: ${from} to ${shifted(to, -1)}.`;
  showFigures(total, earlier);
  const values = OUTCOMES.map(([name]) => outcome(total, name));
  const names = OUTCOMES.map(([, words]) => words);
  const earlierValues = OUTCOMES.map(([name]) => outcome(earlier, name));
  const sentence =
    `${total.requested} requests and ${total.unasked} who came unasked, ` +
    `of ${total.conversations} conversations (${percent(total.handoffRate)} handed off).`;
  draw(
    "outcomes",
    "Outcomes",
    sentence,
    { kind: "bar", horizontal: true, names, series: [{ name: "handoffs", values }] },
    table(
      "What came of handoffs",
      ["Outcome", "Handoffs", "Before"],
      [
        ...names.map((name, index) => [name, String(values[index]), String(earlierValues[index])]),
        ["Not answered", String(unanswered(total)), String(unanswered(earlier))],
        ["All", ...[total, earlier].map((row) => String(row.requested + row.unasked))],
      ],
    ),
  );
  const { classes } = found;
  const [waits, answers] = ["waiting", "firstResponse"].map((name) => [total[name], earlier[name]]);
  distribution("waiting", "Waiting time", waits, classes, "a person joined");
  distribution("first", "First response", answers, classes, "a person answered");
}

function distribution(id, heading, [timing, earlier], limits, ended) {
  const names = classNames(limits);
  const sentence = timing.count
    ? `Half waited ${duration(timing.median)} at most until ${ended}, ` +
      `nine in ten ${duration(timing.p90)} ` +
      `(before: ${duration(earlier.median)} and ${duration(earlier.p90)}). ` +
      `Open: ${timing.open}; ended without: ${timing.without}.`
    : `None yet. Open: ${timing.open}; ended without: ${timing.without}.`;
  const both = (words) => [timing, earlier].map((one) => String(words(one)));
  const rows = names.map((name, index) => [name, ...both((one) => one.distribution[index])]);
  const open = [
    ["still open", ...both((one) => one.open)],
    ["ended without", ...both((one) => one.without)],
  ];
  draw(
    id,
    heading,
    sentence,
    { kind: "bar", names, series: [{ name: "handoffs", values: timing.distribution }] },
    table(heading, ["Took", "Handoffs", "Before"], [...rows, ...open]),
  );
}

function showDays(found) {
  const names = found.rows.map((row) => row.by.day);
  const of = (share) => found.rows.map((row) => row.firstResponse[share] ?? null);
  const series = [
    { name: "half within", values: of("median") },
    { name: "9 of 10 within", values: of("p90") },
  ];
  const rows = found.rows.map((row) => [
    row.by.day,
    String(row.conversations),
    String(messages(row)),
    String(row.requested),
    String(unanswered(row)),
    duration(row.waiting.median),
    duration(row.waiting.p90),
    duration(row.firstResponse.median),
    duration(row.firstResponse.p90),
    String(row.firstResponse.open),
  ]);
  const heads = [
    "Day",
    "Customers who wrote",
    "Messages",
    "Requests",
    "Not answered",
    "Half waited",
    "9 of 10 waited",
    "Half answered within",
    "9 of 10 answered within",
    "Open",
  ];
  draw(
    "days",
    "First response by day",
    "Days on which nobody was answered have no point.",
    { kind: "line", names, series, ticks: duration },
    table("Day by day", heads, rows),
  );
  showVolume(found.rows);
}

/** Shows how much there was to do on each day. */
function showVolume(days) {
  const WRITTEN = [
    ["Messages of customers", (row) => row.customerMessages],
    ["Messages of the bot and of people", (row) => row.botMessages + row.humanMessages],
    ["Requests for a person", (row) => row.requested],
  ];
  const rows = days.map((row) => [row.by.day, ...WRITTEN.map(([, count]) => String(count(row)))]);
  const sum = (count) => days.reduce((all, row) => all + count(row), 0);
  draw(
    "volume",
    "Messages and requests by day",
    `${sum(messages)} messages and ${sum((row) => row.requested)} requests for a person.`,
    {
      kind: "bar",
      names: days.map((row) => row.by.day),
      series: WRITTEN.map(([name, count]) => ({ name, values: days.map(count) })),
    },
    table("By day", ["Day", ...WRITTEN.map(([name]) => name)], rows),
  );
}

const OTHER = "(other)";

function showReasons(rows, before) {
  const known = new Map(before.map((row) => [row.by.reason, row.requested]));
  const named = (reason) => (reason === OTHER ? "other reasons" : reason || "(none given)");
  const lines = rows
    .toSorted((one, two) => two.requested - one.requested)
    .map((row) => [named(row.by.reason), row.requested, known.get(row.by.reason) ?? 0]);
  find("reasons").replaceChildren(
    lines.length
      ? table(
          "Requests by reason",
          ["Reason", "Requests", "Before"],
          lines.map((line) => line.map(String)),
        )
      : make("p", { class: "note" }, "No customer asked for a person."),
  );
}

function showMessages({ total, messageClasses }, earlier, now, then) {
  const { exchanged } = total;
  const names = messageClasses.map((limit, index) =>
    index === 0 ? `up to ${limit}` : `to ${limit}`,
  );
  names.push(`over ${messageClasses.at(-1)}`);
  const sentence = exchanged.count
    ? `Half of ${exchanged.count} took ${exchanged.median} messages at most, nine in ten ` +
      `${exchanged.p90} (before: ${earlier.exchanged.median ?? "–"} and ` +
      `${earlier.exchanged.p90 ?? "–"}). What the bot says is not counted here.`
    : "None has ended yet.";
  draw(
    "taken",
    "How many messages a handoff takes",
    sentence,
    { kind: "bar", names, series: [{ name: "handoffs", values: exchanged.distribution }] },
    table(
      "Messages of customers and people",
      ["Took", "Handoffs", "Before"],
      names.map((name, index) => [
        name,
        ...[exchanged, earlier.exchanged].map((one) => String(one.distribution[index])),
      ]),
    ),
  );
  showWritten("kinds", "Kind", now[0], then[0], (row) => row.by.kind);
  const characters = (row) => (row.by.length ? `${row.by.length} characters` : "no text");
  showWritten("lengths", "Length", now[1], then[1], characters);
}

function showWritten(id, caption, now, then, named) {
  const known = new Map(then.rows.map((row) => [named(row), row]));
  const of = ["customerMessages", "botMessages", "humanMessages"];
  const rows = now.rows.map((row) => [
    named(row),
    ...of.map((one) => `${row[one]} (${known.get(named(row))?.[one] ?? 0})`),
  ]);
  const heads = [caption, "Of customers", "Of the bot", "Of people"];
  find(id).replaceChildren(table(`Messages by ${caption.toLowerCase()}`, heads, rows));
}

function showHours(found) {
  const known = new Map(found.rows.map((row) => [row.by.hour, row.requested]));
  const most = Math.max(1, ...known.values());
  const cell = (count) =>
    make(
      "td",
      count ? { "data-heat": Math.ceil((count / most) * 5) } : { class: "none" },
      count ? String(count) : "·",
    );
  const head = make(
    "thead",
    {},
    make(
      "tr",
      {},
      make("th", { scope: "col" }, "Hour"),
      HOURS.map((hour) => make("th", { scope: "col" }, hour)),
    ),
  );
  const rows = WEEKDAYS.map((name) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, name),
      HOURS.map((hour) => cell(known.get(`${name} ${hour}`) ?? 0)),
    ),
  );
  find("hours").replaceChildren(make("table", { class: "heat" }, head, make("tbody", {}, rows)));
}

const PAIRS = [
  ["waiting", "Waiting"],
  ["firstResponse", "First response"],
  ["response", "Response"],
  ["handling", "Handling"],
];

const HEADS = PAIRS.map(([, words]) => `${words}: half / 9 of 10`);
const timing = (one) => (one?.count ? `${duration(one.median)} / ${duration(one.p90)}` : "–");
const COUNTS = [
  ["Requests", (row) => row.requested],
  ["Joined", (row) => row.joined],
  ["Not answered", unanswered],
  ["Went quiet", (row) => row.returned],
  ["Open", (row) => row.waiting.open],
  ["Content, 1 to 5", satisfaction],
];
const OF_AGENTS = [
  ["Messages", (row) => row.messages],
  ["Handoffs taken", (row) => row.joined],
  ["Joined", (row) => row.frames],
  ["Went quiet", (row) => row.returned],
  ["There now", (row) => row.handling.open],
  ["Passed on", (row) => row.transferred],
  ["Content, 1 to 5", satisfaction],
];

/** Returns a table by `name`: each figure with that of the period before in brackets. */
function compared(caption, name, columns, now, then) {
  const known = new Map(then.map((row) => [row.by[name], row]));
  const line = (row) => {
    const earlier = known.get(row.by[name]);
    return [
      row.by[name] || "(none named)",
      ...columns.map(([, count]) => `${count(row)} (${earlier ? count(earlier) : "–"})`),
      ...PAIRS.map(([pair]) => `${timing(row[pair])} (${timing(earlier?.[pair])})`),
    ];
  };
  const heads = [caption, ...columns.map(([words]) => words), ...HEADS];
  return table(`By ${name}`, heads, now.map(line));
}

function showWho({ channels, channelsBefore, desks, desksBefore, people, peopleBefore }) {
  const asked = desks.rows.filter((row) => row.requested || row.joined);
  find("channels").replaceChildren(
    compared("Channel", "channel", COUNTS, channels.rows, channelsBefore.rows),
  );
  find("desks").replaceChildren(compared("Desk", "desk", COUNTS, asked, desksBefore.rows));
  const refused = make("p", { class: "note" }, "Your role or key does not show figures by agent.");
  find("agents-csv").hidden = !people;
  find("agents").replaceChildren(
    people
      ? compared("Agent", "agent", OF_AGENTS, people.rows, peopleBefore?.rows ?? [])
      : refused,
  );
}

/** Saves a report of the period that is shown as a file. */
async function download({ dataset }) {
  const { period, key } = seen;
  const query = dataset.by ? { ...period, by: dataset.by } : period;
  const file = await csv(dataset.csv, query, key).catch((error) => setTrouble(said(error)));
  if (!file) return;
  const name = `${dataset.by || dataset.csv}-${period.from}-${shifted(period.to, -1)}.csv`;
  const link = make("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function start() {
  const notice = fill();
  find("asked").addEventListener("submit", (event) => {
    event.preventDefault();
    void show();
  });
  find("presets").addEventListener("click", ({ target }) => {
    if (!target.dataset.preset) return;
    take((today) => preset(target.dataset.preset, today));
    if (givenKey() !== "") void show();
  });
  find("parts").addEventListener("click", (event) => {
    const part = event.target.closest("a");
    if (!part) return;
    event.preventDefault(); // the address names the days and the time zone
    const place = find(part.hash.slice(1));
    place.tabIndex = place.tabIndex < 0 ? -1 : place.tabIndex;
    place.scrollIntoView();
    place.focus({ preventScroll: true });
  });
  find("print").addEventListener("click", () => print());
  for (const button of document.querySelectorAll("[data-csv]"))
    button.addEventListener("click", () => void download(button));
  keepReadable();
  setInterval(() => void look(), QUEUE_EVERY);
  setInterval(refresh, REFRESH_EVERY);
  if (!givenKey() && (await whoIsSignedIn())) askNoKey();
  if (givenKey() !== "") return void show(notice);
  setTrouble(notice);
  find("main").setAttribute("aria-busy", "false");
}

void start();
