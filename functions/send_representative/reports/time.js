// Days and hours as the clocks of a time zone show them.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const QUARTER = HOUR / 4;
const EARLIEST = 14 * HOUR; // no clock is further before UTC
export const WEEKDAYS = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
];

/** Returns whether there is such a time zone. */
export function isZone(name) {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

/** Returns whether there is such a day, written YYYY-MM-DD. */
export const isDay = (text) =>
  /^\d{4}-\d\d-\d\d$/.test(text) &&
  !Number.isNaN(Date.parse(`${text}T00:00Z`)) &&
  shifted(text, 0) === text;

/** Returns YYYY-MM-DD HH:MM in the time zone. */
export function local(time, tz) {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: tz,
    dateStyle: "short",
    timeStyle: "short",
  });
  return format.format(time);
}

export const day = (time, tz) => local(time, tz).slice(0, 10);

/** Returns the day that is `days` later. */
export const shifted = (date, days) =>
  new Date(Date.parse(`${date}T00:00Z`) + days * DAY).toISOString().slice(0, 10);

/** Returns how many days a period has. */
const length = ({ from, to }) => (Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / DAY;

/** Returns the period of as many days before this one. */
export const before = (period) => ({
  ...period,
  from: shifted(period.from, -length(period)),
  to: period.from,
});

/** Returns the first and the last day of a preset: today, a number of days, or this month. */
export function preset(name, today) {
  if (name === "today") return { from: today, last: today };
  if (name === "month") return { from: `${today.slice(0, 8)}01`, last: today };
  return { from: shifted(today, 1 - Number(name)), last: today };
}

export const weekday = (date) => WEEKDAYS[(new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7];

/** Returns the first quarter of an hour of the day in the time zone: some zones skip midnight. */
function beginning(date, tz) {
  let time = Date.parse(`${date}T00:00Z`) - EARLIEST;
  while (day(time, tz) < date) time += QUARTER;
  return time;
}

const instant = (time) => new Date(time).toISOString();

/**
 * Returns today until now (to the full quarter of an hour), as much of the same weekday a week ago,
 * and that whole day.
 * `date` is today; `from` and `to` of what is compared are instants, as a local time may come
 * twice, or never.
 */
export function todayAndLastWeek(now, tz) {
  const date = day(now, tz);
  const before = shifted(date, -7);
  const [begun, begunThen] = [beginning(date, tz), beginning(before, tz)];
  const until = Math.ceil((now.getTime() + 1) / QUARTER) * QUARTER;
  return {
    date,
    today: { from: instant(begun), to: instant(until), tz },
    lastWeek: { from: instant(begunThen), to: instant(begunThen + until - begun), tz },
    wholeDayLastWeek: { from: before, to: shifted(before, 1), tz },
  };
}
