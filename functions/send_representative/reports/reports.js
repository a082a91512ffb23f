// The reports of one deployment: requests them, and shows figures, charts and numbers.

import { everything, queue, whoIsSignedIn } from "./api.js";
import { draw, keepReadable } from "./charts.js";
import { classNames, duration, find, make, percent, table } from "./dom.js";
import { askNoKey, asked, fill, givenKey, keepKey } from "./form.js";
import { WEEKDAYS, local, shifted, todayAndLastWeek, weekday } from "./time.js";

const QUEUE_EVERY = 30_000;
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
let newest = 0; // what was asked last; the answer to anything before it comes too late
let looking = false; // at who waits
let seen = null; // when who waits was last known, with which key, and how many they were

/** Asks for the report of the form and shows it below the notices. */
async function show(notice = null) {
  const mine = (newest += 1);
  let trouble = notice;
  find("main").setAttribute("aria-busy", "true");
  try {
    const [period, key, now] = [asked(), givenKey(), new Date()];
    const week = todayAndLastWeek(now, period.tz);
    const answer = await everything(period, week, key);
    if (mine !== newest) return;
    keepKey(key);
    find("hint").hidden = true;
    find("main").hidden = false;
    showAll(period, week.date, now, answer);
    seen = { at: now, tz: period.tz, key, count: answer.waiting?.length };
  } catch (error) {
    trouble = said(error);
  }
  if (mine !== newest) return;
  setTrouble(trouble);
  find("main").setAttribute("aria-busy", "false");
}

function showAll(period, date, at, { now, then, hoursThen, found, people, waiting }) {
  showToday(now.total, then.total, date, local(at, period.tz).slice(-5));
  showQueue(waiting);
  showHoursOfToday(now, hoursThen, date);
  const [days, hours, channels, desks] = found.reports;
  showPeriod(found, period);
  showDays(days);
  showHours(hours);
  showWho(channels, desks, people);
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
  showQueue(found);
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

function showToday(now, then, date, time) {
  find("today-note").textContent =
    `Today until ${time}, beside as many hours of last ${weekday(date)}.`;
  const tile = (name, value, before) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value, make("small", {}, before)));
  find("tiles").replaceChildren(
    tile("Waiting now", "", ""),
    tile("Requests for a human", String(now.requested), `last week ${then.requested}`),
    tile(
      "First response, median",
      duration(now.firstResponse.median),
      `last week ${duration(then.firstResponse.median)}`,
    ),
    tile(
      "First response, 90th percentile",
      duration(now.firstResponse.p90),
      `last week ${duration(then.firstResponse.p90)}`,
    ),
    tile(
      "Not answered",
      String(now.failed + now.expired),
      `last week ${then.failed + then.expired}`,
    ),
    tile("Handoff rate", percent(now.handoffRate), `last week ${percent(then.handoffRate)}`),
  );
}

function showWaiting(count, words) {
  find("tiles")
    .querySelector("dd")
    .replaceChildren(count, make("small", {}, words));
}

function showUnknown(error) {
  const since = local(seen.at, seen.tz);
  showWaiting("?", `not known since ${since}, when it was ${seen.count}. ${said(error)}`);
  find("queue").prepend(
    find("queue-old") ?? make("p", { class: "note", id: "queue-old" }, `As it was on ${since}.`),
  );
}

function showQueue(waiting) {
  if (waiting === null) {
    showWaiting("–", "only people who answer see it");
    find("queue").replaceChildren(
      make("p", { class: "note" }, "Only people who answer customers see who waits."),
    );
    return;
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
  ["left", "A person came and left"],
  ["returned", "Returned: went quiet"],
  ["withHuman", "Open: with a person"],
  ["waiting", "Open: still waiting"],
  ["failed", "Failed: nobody available"],
  ["expired", "Expired: not answered"],
  ["linked", "Goes on in another conversation"],
  ["erased", "Erased while waiting"],
];

function showPeriod(found, period) {
  const { total } = found;
  find("period-title").textContent = `${period.from} to ${shifted(period.to, -1)}, ${period.tz}`;
  const values = OUTCOMES.map(([name]) => (name === "waiting" ? total.waiting.open : total[name]));
  const names = OUTCOMES.map(([, words]) => words);
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
      ["Outcome", "Handoffs"],
      [
        ...names.map((name, index) => [name, String(values[index])]),
        ["All", String(total.requested + total.unasked)],
      ],
    ),
  );
  distribution("waiting", "Waiting time", total.waiting, found.classes, "a person joined");
  distribution("first", "First response", total.firstResponse, found.classes, "a person answered");
}

function distribution(id, heading, timing, limits, ended) {
  const names = classNames(limits);
  const sentence = timing.count
    ? `Half waited ${duration(timing.median)} at most until ${ended}, ` +
      `nine in ten ${duration(timing.p90)}. ` +
      `Open: ${timing.open}; ended without: ${timing.without}.`
    : `None yet. Open: ${timing.open}; ended without: ${timing.without}.`;
  const rows = names.map((name, index) => [name, String(timing.distribution[index])]);
  const open = [
    ["still open", String(timing.open)],
    ["ended without", String(timing.without)],
  ];
  draw(
    id,
    heading,
    sentence,
    { kind: "bar", names, series: [{ name: "handoffs", values: timing.distribution }] },
    table(heading, ["Took", "Handoffs"], [...rows, ...open]),
  );
}

function showDays(found) {
  const names = found.rows.map((row) => row.by.day);
  const of = (share) => found.rows.map((row) => row.firstResponse[share] ?? null);
  const series = [
    { name: "median", values: of("median") },
    { name: "90th percentile", values: of("p90") },
  ];
  const rows = found.rows.map((row) => [
    row.by.day,
    String(row.requested),
    duration(row.waiting.median),
    duration(row.waiting.p90),
    duration(row.firstResponse.median),
    duration(row.firstResponse.p90),
    String(row.firstResponse.open),
  ]);
  const heads = [
    "Day",
    "Requests",
    "Waiting, median",
    "90th percentile",
    "First response, median",
    "90th percentile",
    "Open",
  ];
  draw(
    "days",
    "First response by day",
    "Days on which nobody was answered have no point.",
    { kind: "line", names, series, ticks: duration },
    table("Day by day", heads, rows),
  );
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

function showWho(channels, desks, people) {
  const timings = (row) =>
    PAIRS.map(([name]) =>
      row[name].count ? `${duration(row[name].median)} / ${duration(row[name].p90)}` : "–",
    );
  const heads = PAIRS.map(([, words]) => `${words}: median / 90th`);
  const counts = (row) =>
    [row.requested, row.joined, row.failed + row.expired, row.returned, row.waiting.open].map(
      String,
    );
  const by = (name, rows) =>
    rows.map((row) => [row.by[name] || "(nobody asked for one)", ...counts(row), ...timings(row)]);
  const came = ["Requests", "Joined", "Not answered", "Returned", "Open", ...heads];
  find("channels").replaceChildren(
    table("By channel", ["Channel", ...came], by("channel", channels.rows)),
  );
  find("desks").replaceChildren(
    table(
      "By desk",
      ["Desk", ...came],
      by(
        "desk",
        desks.rows.filter((row) => row.requested || row.joined),
      ),
    ),
  );
  const own = (row) => [
    row.by.agent || "(without a name)",
    ...[row.joined, row.frames, row.returned, row.handling.open].map(String),
    ...timings(row),
  ];
  const did = ["Handoffs taken", "Joined", "Went quiet", "There now", ...heads];
  const refused = make("p", { class: "note" }, "Your role or key does not show figures by agent.");
  find("agents").replaceChildren(
    people ? table("By agent", ["Agent", ...did], people.rows.map(own)) : refused,
  );
}

async function start() {
  const notice = fill();
  find("asked").addEventListener("submit", (event) => {
    event.preventDefault();
    void show();
  });
  keepReadable();
  setInterval(() => void look(), QUEUE_EVERY);
  if (!givenKey() && (await whoIsSignedIn())) askNoKey();
  if (givenKey() !== "") return void show(notice);
  setTrouble(notice);
  find("main").setAttribute("aria-busy", "false");
}

void start();
