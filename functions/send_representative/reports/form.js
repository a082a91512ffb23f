// The form of the report, and the URL parameters that fill it.

import { find, make } from "./dom.js";
import { day, isDay, isZone, shifted } from "./time.js";

const KEY = "baton-reports-key";
const noZone = (name) => `“${name}” is no time zone; one is written like Asia/Jakarta.`;
const noDay = (text) => `“${text}” is no day; one is written like 2026-11-20.`;

/** Returns the period of the form. Throws an Error that describes what is wrong. */
export function asked() {
  const [from, last, tz] = ["from", "last", "tz"].map((id) => find(id).value.trim());
  if (!isZone(tz)) throw new Error(noZone(tz));
  for (const text of [from, last]) if (!isDay(text)) throw new Error(noDay(text));
  return { from, to: shifted(last, 1), tz };
}

/** Sets the days of the form: `days` returns them, given today in the form's time zone. */
export function take(days) {
  const tz = isZone(find("tz").value.trim()) ? find("tz").value.trim() : "UTC";
  const { from, last } = days(day(new Date(), tz));
  [find("from").value, find("last").value] = [from, last];
}

/** Returns the key of the form, or null where the person who is signed in asks. */
export const givenKey = () => (find("key-part").hidden ? null : find("key").value);

/** Keeps a key that was accepted, for this tab only. */
export function keepKey(key) {
  if (key !== null) sessionStorage.setItem(KEY, key);
}

/** Asks for no key, as somebody is signed in. */
export function askNoKey() {
  find("key-part").hidden = true;
  find("key").required = false;
  find("sign-in").hidden = true;
}

/**
 * Fills the form: the current week in the local time zone, or the URL's parameters. Returns what is
 * wrong with those, or null.
 */
export function fill() {
  const given = new URLSearchParams(location.hash.slice(1));
  // a key must not stay in the address bar
  if (given.has("key")) history.replaceState(null, "", location.pathname);
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
  find("zones").append(
    ...Intl.supportedValuesOf("timeZone").map((name) => make("option", { value: name })),
  );
  return wrong.length
    ? ["The address is not right, so what is usual is shown instead.", ...wrong].join(" ")
    : null;
}
