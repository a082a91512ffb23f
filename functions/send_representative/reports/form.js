// What is asked for: the form, and the address that fills it in.

import { find, make } from "./dom.js";
import { day, isDay, isZone, shifted } from "./time.js";

const KEY = "baton-reports-key";
const noZone = (name) => `“${name}” is no time zone; one is written like Asia/Jakarta.`;
const noDay = (text) => `“${text}” is no day; one is written like 2026-11-20.`;

/** Returns the period that the form asks for. Throws an Error that says what is wrong with it. */
export function asked() {
  const [from, last, tz] = ["from", "last", "tz"].map((id) => find(id).value.trim());
  if (!isZone(tz)) throw new Error(noZone(tz));
  for (const text of [from, last]) if (!isDay(text)) throw new Error(noDay(text));
  return { from, to: shifted(last, 1), tz };
}

export const givenKey = () => find("key").value;

/** Keeps a key that was accepted, for this tab only. */
export const keepKey = (key) => sessionStorage.setItem(KEY, key);

/** Fills the form: this week, here, unless the address says otherwise. Returns what it says that cannot be, or null. */
export function fill() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has("key")) history.replaceState(null, "", location.pathname); // a key is not for the address bar
  const wrong = [];
  const take = (name, isGood, no, usual) => {
    const value = given.get(name);
    if (value !== null && !isGood(value)) wrong.push(no(value));
    return value !== null && isGood(value) ? value : usual;
  };
  const tz = take("tz", isZone, noZone, Intl.DateTimeFormat().resolvedOptions().timeZone);
  const today = day(new Date(), tz);
  find("tz").value = tz;
  find("from").value = take("from", isDay, noDay, shifted(today, -6));
  find("last").value = take("to", isDay, noDay, today);
  find("key").value = given.get("key") ?? sessionStorage.getItem(KEY) ?? "";
  find("zones").append(...Intl.supportedValuesOf("timeZone").map((name) => make("option", { value: name })));
  return wrong.length ? ["The address is not right, so what is usual is shown instead.", ...wrong].join(" ") : null;
}
