// Days and hours as the clocks of a time zone show them.

const DAY = 86_400_000;
const QUARTER = 900_000;
export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/** Returns YYYY-MM-DDTHH:MM there. */
export function local(time, tz) {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: tz, dateStyle: "short", timeStyle: "short" });
  return format.format(time).replace(" ", "T");
}

export const day = (time, tz) => local(time, tz).slice(0, 10);

/** Returns the day that is so many days later. */
export const shifted = (date, days) => new Date(Date.parse(`${date}T00:00Z`) + days * DAY).toISOString().slice(0, 10);

export const weekday = (date) => WEEKDAYS[(new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7];

/** Returns today until now (to the full quarter of an hour) and the same hours of the same weekday a week ago. */
export function todayAndLastWeek(now, tz) {
  const until = local(new Date(Math.ceil((now.getTime() + 1) / QUARTER) * QUARTER), tz);
  const today = day(now, tz);
  const before = shifted(today, -7);
  return {
    today: { from: today, to: until, tz },
    lastWeek: { from: before, to: `${shifted(until.slice(0, 10), -7)}${until.slice(10)}`, tz },
    wholeDayLastWeek: { from: before, to: shifted(before, 1), tz },
  };
}
