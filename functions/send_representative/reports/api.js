// Every request that the page makes, all to the function that served it.

const ME = "../v1/me";
const REPORTS = "../v1/reports";
const QUEUE = "../v1/conversations?phase=QUEUED";
const PAGES = 20; // of a hundred who wait
const TIMEOUT = 30_000;

/** Baton refused the request, or did not answer. `status` is 0 where there was no answer. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function get(path, key) {
  return (await answer(path, key)).json().catch(() => ({}));
}

/** Makes a request with a key, or as the person of the session where `key` is null. */
async function answer(path, key) {
  const headers = key === null ? { "baton-page": "1" } : { authorization: `Bearer ${key}` };
  let response;
  try {
    response = await fetch(path, {
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    throw new Refusal(0, "Baton does not answer.");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Refusal(response.status, body.error?.message ?? `HTTP ${response.status}`);
}

/** Returns the person who is signed in, or null. This also keeps the session. */
export async function whoIsSignedIn() {
  const person = await get(ME, null).catch(() => null);
  return person?.kind === "person" ? person : null;
}

/** Returns a report. `asked` has from, to, tz, and by (the breakdown). */
const report = (name, asked, key) => get(`${REPORTS}/${name}?${new URLSearchParams(asked)}`, key);

/** Returns the report on agents, or null for a key that may not see it. */
async function agents(asked, key) {
  try {
    return await report("agents", asked, key);
  } catch (error) {
    if (error.status === 403) return null;
    throw error;
  }
}

/**
 * Returns all data of the page: the period, the one before it, and today compared with last week.
 */
export async function everything(period, earlier, { today, lastWeek, wholeDayLastWeek }, key) {
  const [now, then, hoursThen, found, before, people, peopleBefore, waiting] = await Promise.all([
    report("handoffs", { ...today, by: "hour" }, key),
    report("handoffs", lastWeek, key),
    report("handoffs", { ...wholeDayLastWeek, by: "hour" }, key),
    report("handoffs", { ...period, by: "day;hour;channel;desk;reason;kind;length" }, key),
    report("handoffs", { ...earlier, by: "channel;desk;reason;kind;length" }, key),
    agents(period, key),
    agents(earlier, key),
    queue(key),
  ]);
  return { now, then, hoursThen, found, before, people, peopleBefore, waiting };
}

/** Returns a report as CSV. */
export async function csv(name, asked, key) {
  const query = new URLSearchParams({ ...asked, format: "csv" });
  return (await answer(`${REPORTS}/${name}?${query}`, key)).blob();
}

/**
 * Returns all waiting customers, the longest wait first, or null for a key that may not see them.
 */
export async function queue(key) {
  if (key === null) await whoIsSignedIn();
  try {
    return await everyPage(key);
  } catch (error) {
    if (error.status === 403) return null;
    throw error;
  }
}

async function everyPage(key) {
  const waiting = [];
  let cursor = "";
  for (let page = 0; page < PAGES && cursor !== undefined; page += 1) {
    const found = await get(`${QUEUE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, key);
    waiting.push(...found.conversations);
    cursor = found.nextCursor;
  }
  return waiting;
}
