// The reports of one deployment: asks, and shows the answer as figures, charts and the numbers behind them.

import { agents, queue, report } from "./api.js";
import { draw } from "./charts.js";
import { classNames, duration, find, make, percent, table } from "./dom.js";
import { WEEKDAYS, day, shifted, todayAndLastWeek, weekday } from "./time.js";

const KEY = "baton-reports-key";
const QUEUE_EVERY = 30_000;
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
let drawing = 0;

function asked() {
  const tz = find("tz").value;
  return { from: find("from").value, to: shifted(find("last").value, 1), tz };
}

async function show() {
  const mine = (drawing += 1);
  const [period, key] = [asked(), find("key").value];
  const { today, lastWeek, wholeDayLastWeek } = todayAndLastWeek(new Date(), period.tz);
  find("main").setAttribute("aria-busy", "true");
  try {
    const [now, then, hoursThen, found, people, waiting] = await Promise.all([
      report("handoffs", { ...today, by: "hour" }, key),
      report("handoffs", lastWeek, key),
      report("handoffs", { ...wholeDayLastWeek, by: "hour" }, key),
      report("handoffs", { ...period, by: "day;hour;channel;desk" }, key),
      agents(period, key),
      queue(key),
    ]);
    if (mine !== drawing) return;
    sessionStorage.setItem(KEY, key);
    setTrouble(null);
    showToday(now.total, then.total, today.from, waiting);
    showHoursOfToday(now, hoursThen, today.from);
    const [days, hours, channels, desks] = found.reports;
    showPeriod(found, period);
    showDays(days);
    showHours(hours);
    showWho(channels, desks, people);
  } catch (error) {
    setTrouble(error.status === 401 ? "This key was not accepted." : error.message);
  } finally {
    find("main").setAttribute("aria-busy", "false");
  }
}

function setTrouble(text) {
  find("trouble").hidden = text === null;
  find("trouble").textContent = text ?? "";
}

function showToday(now, then, date, waiting) {
  find("today-note").textContent = `Today until now, beside last ${weekday(date)} until the same time.`;
  const tile = (name, value, before) => make("div", {}, make("dt", {}, name), make("dd", {}, value, make("small", {}, before)));
  find("tiles").replaceChildren(
    tile("Waiting now", "", ""),
    tile("Requests for a human", String(now.requested), `last week ${then.requested}`),
    tile("First response, median", duration(now.firstResponse.median), `last week ${duration(then.firstResponse.median)}`),
    tile("First response, 90th percentile", duration(now.firstResponse.p90), `last week ${duration(then.firstResponse.p90)}`),
    tile("Nobody came", String(now.failed + now.expired), `last week ${then.failed + then.expired}`),
    tile("Handoff rate", percent(now.handoffRate), `last week ${percent(then.handoffRate)}`),
  );
  showQueue(waiting);
}

function showQueue(waiting) {
  const age = (one) => duration((Date.now() - Date.parse(one.waitingSince)) / 1000);
  const [count] = find("tiles").querySelectorAll("dd");
  const longest = waiting.length ? `longest ${age(waiting[0])}` : "nobody";
  count?.replaceChildren(String(waiting.length), make("small", {}, longest));
  const rows = waiting.map((one) => [one.name.replace("conversations/", ""), one.requestReason, age(one)]);
  find("queue").replaceChildren(waiting.length ? table("Longest wait first", ["Conversation", "Why", "Waits for"], rows) : make("p", { class: "note" }, "Nobody is waiting."));
}

function showHoursOfToday(now, then, date) {
  const requested = (found) => {
    const known = new Map(found.rows.map((row) => [row.by.hour.split(" ")[1], row.requested]));
    return HOURS.map((hour) => known.get(hour) ?? 0);
  };
  const series = [{ name: "today", values: requested(now) }, { name: `last ${weekday(date)}`, values: requested(then) }];
  const total = series.map(({ name, values }) => `${values.reduce((sum, one) => sum + one, 0)} ${name}`).join(", ");
  const rows = HOURS.map((hour, index) => [`${hour}:00`, ...series.map(({ values }) => values[index])].map(String));
  draw("today", "Today against last week", `Requests in each hour: ${total}.`, { kind: "bar", names: HOURS, series }, table("Requests by hour of the day", ["Hour", ...series.map(({ name }) => name)], rows));
}

// Each handoff has one of these: the sum is what was requested and who came unasked.
const OUTCOMES = [
  ["left", "A person came and left"],
  ["returned", "Returned: went quiet"],
  ["withHuman", "Open: with a person"],
  ["waiting", "Open: still waiting"],
  ["failed", "Failed: nobody available"],
  ["expired", "Expired: nobody came"],
  ["linked", "Goes on in another conversation"],
  ["erased", "Erased while waiting"],
];

function showPeriod(found, period) {
  const { total } = found;
  find("period-title").textContent = `${period.from} to ${shifted(period.to, -1)}, ${period.tz}`;
  const values = OUTCOMES.map(([name]) => (name === "waiting" ? total.waiting.open : total[name]));
  const names = OUTCOMES.map(([, words]) => words);
  const sentence = `${total.requested} requests and ${total.unasked} who came unasked, of ${total.conversations} conversations (${percent(total.handoffRate)} handed off).`;
  draw("outcomes", "Outcomes", sentence, { kind: "bar", horizontal: true, names, series: [{ name: "handoffs", values }] }, table("What came of handoffs", ["Outcome", "Handoffs"], [...names.map((name, index) => [name, String(values[index])]), ["All", String(total.requested + total.unasked)]]));
  distribution("waiting", "Waiting time", total.waiting, found.classes, "a person joined");
  distribution("first", "First response", total.firstResponse, found.classes, "a person answered");
}

function distribution(id, heading, timing, limits, ended) {
  const names = classNames(limits);
  const sentence = timing.count
    ? `Half waited ${duration(timing.median)} at most until ${ended}, nine in ten ${duration(timing.p90)}. Open: ${timing.open}; ended without: ${timing.without}.`
    : `Nobody yet. Open: ${timing.open}; ended without: ${timing.without}.`;
  const rows = names.map((name, index) => [name, String(timing.distribution[index])]);
  const open = [["still open", String(timing.open)], ["ended without", String(timing.without)]];
  draw(id, heading, sentence, { kind: "bar", names, series: [{ name: "handoffs", values: timing.distribution }] }, table(heading, ["Took", "Handoffs"], [...rows, ...open]));
}

function showDays(found) {
  const names = found.rows.map((row) => row.by.day);
  const of = (share) => found.rows.map((row) => row.firstResponse[share] ?? null);
  const series = [{ name: "median", values: of("median") }, { name: "90th percentile", values: of("p90") }];
  const rows = found.rows.map((row) => [row.by.day, String(row.requested), duration(row.waiting.median), duration(row.waiting.p90), duration(row.firstResponse.median), duration(row.firstResponse.p90), String(row.firstResponse.open)]);
  const heads = ["Day", "Requests", "Waiting, median", "90th percentile", "First response, median", "90th percentile", "Open"];
  draw("days", "First response by day", "Days on which nobody was answered have no point.", { kind: "line", names, series, ticks: duration }, table("Day by day", heads, rows));
}

function showHours(found) {
  const known = new Map(found.rows.map((row) => [row.by.hour, row.requested]));
  const most = Math.max(1, ...known.values());
  const cell = (count) => make("td", count ? { "data-heat": Math.ceil((count / most) * 5) } : { class: "none" }, count ? String(count) : "·");
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Hour"), HOURS.map((hour) => make("th", { scope: "col" }, hour))));
  const rows = WEEKDAYS.map((name) => make("tr", {}, make("th", { scope: "row" }, name), HOURS.map((hour) => cell(known.get(`${name} ${hour}`) ?? 0))));
  find("hours").replaceChildren(make("table", { class: "heat" }, head, make("tbody", {}, rows)));
}

const PAIRS = [["waiting", "Waiting"], ["firstResponse", "First response"], ["response", "Response"], ["handling", "Handling"]];

function showWho(channels, desks, people) {
  const timings = (row) => PAIRS.map(([name]) => (row[name].count ? `${duration(row[name].median)} / ${duration(row[name].p90)}` : "–"));
  const heads = PAIRS.map(([, words]) => `${words}: median / 90th`);
  const counts = (row) => [row.requested, row.joined, row.failed + row.expired, row.returned, row.waiting.open].map(String);
  const by = (name, rows) => rows.map((row) => [row.by[name] || "(nobody asked for one)", ...counts(row), ...timings(row)]);
  const came = ["Requests", "Joined", "Nobody came", "Returned", "Open", ...heads];
  find("channels").replaceChildren(table("By channel", ["Channel", ...came], by("channel", channels.rows)));
  find("desks").replaceChildren(table("By desk", ["Desk", ...came], by("desk", desks.rows.filter((row) => row.requested || row.joined))));
  const own = (row) => [row.by.agent || "(without a name)", ...[row.joined, row.frames, row.returned, row.handling.open].map(String), ...timings(row)];
  const did = ["Handoffs taken", "Joined", "Went quiet", "There now", ...heads];
  const refused = make("p", { class: "note" }, "Figures by agent need an admin key.");
  find("agents").replaceChildren(people ? table("By agent", ["Agent", ...did], people.rows.map(own)) : refused);
}

function start() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const tz = hash.get("tz") ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const today = day(new Date(), tz);
  find("tz").value = tz;
  find("from").value = hash.get("from") ?? shifted(today, -6);
  find("last").value = hash.get("to") ?? today;
  find("key").value = hash.get("key") ?? sessionStorage.getItem(KEY) ?? "";
  if (hash.has("key")) history.replaceState(null, "", location.pathname); // a key is not for the address bar
  find("zones").append(...Intl.supportedValuesOf("timeZone").map((name) => make("option", { value: name })));
  find("asked").addEventListener("submit", (event) => {
    event.preventDefault();
    void show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => void show());
  setInterval(async () => {
    if (!document.hidden && find("tiles").children.length) await queue(find("key").value).then(showQueue, () => {});
  }, QUEUE_EVERY);
  if (find("key").value) void show();
  else find("main").setAttribute("aria-busy", "false");
}

start();
