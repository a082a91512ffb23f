// Every request of the desk, all to the function that served the page.

const ROOT = "../v1";
const TIMEOUT = 30_000;
const LIVE_TIMEOUT = 60_000; // Baton answers within half of it

/** The server does not answer. */
export class Away extends Error {
  constructor() {
    super("Baton does not answer.");
  }
}

/** The server refused the request. */
export class Refusal extends Error {
  constructor(status, error) {
    super(error?.message ?? `HTTP ${status}`);
    const detail = error?.details?.[0] ?? {};
    this.status = status;
    this.reason = detail.reason ?? error?.status ?? "";
    this.metadata = detail.metadata ?? {};
  }
}

let key = null;

/** From now on requests are made with this key, or as the session's person for null. */
export function useKey(given) {
  key = given;
}

async function call(method, path, body, { signal = AbortSignal.timeout(TIMEOUT) } = {}) {
  const headers = { ...authorization(), ...(body && { "content-type": "application/json" }) };
  let response;
  let answer;
  try {
    response = await fetch(ROOT + path, {
      method,
      headers,
      cache: "no-store",
      signal,
      ...(body && { body: JSON.stringify(body) }),
    });
    answer = await response.text();
  } catch {
    throw new Away();
  }
  const value = parsed(answer);
  if (!response.ok) throw new Refusal(response.status, value.error);
  return value;
}

/** A session counts only for requests with the second header, which other sites cannot send. */
const authorization = () => (key ? { authorization: `Bearer ${key}` } : { "baton-page": "1" });

function parsed(answer) {
  try {
    return JSON.parse(answer);
  } catch {
    return {};
  }
}

const place = (id) => `/conversations/${encodeURIComponent(id)}`;
const query = (values) =>
  new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined));

export const baton = {
  me: () => call("GET", "/me"),
  live: (since, page) =>
    call("GET", `/me?${query({ since, page })}`, undefined, {
      signal: AbortSignal.timeout(LIVE_TIMEOUT),
    }),
  presence: (state, page) => call("PUT", "/me/presence", { state, page }),
  people: () => call("GET", "/people"),
  endSession: () => call("DELETE", "/session"),
  list: (phase, cursor) => call("GET", `/conversations?${query({ phase, cursor })}`),
  get: (id) => call("GET", place(id)),
  journal: (id, limit, cursor) =>
    call("GET", `${place(id)}/journal?${query({ order: "latest", limit, cursor })}`),
  act: (id, verb, body) => call("POST", `${place(id)}:${verb}`, body),
  note: (id, note) => call("POST", `${place(id)}:note`, note),
  canned: () => call("GET", "/canned"),
  say: (id, message) => call("POST", `${place(id)}/messages`, message),
  upload: (id, file, onProgress) => upload(`${place(id)}/media`, file, onProgress),
  typing: (id, eventType, representative) =>
    call("POST", `${place(id)}/events?eventId=${crypto.randomUUID()}`, {
      eventType,
      representative,
    }),
  read: (id, message) =>
    call("PATCH", `${place(id)}/messages/${encodeURIComponent(message)}/receipt`, {
      receiptType: "READ",
    }),
};

/** Sends the bytes of a file. `onProgress` is called with the share that has been sent. */
function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", ROOT + path);
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.setRequestHeader("content-disposition", named(file));
    for (const [name, value] of Object.entries(authorization()))
      request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener("load", () => {
      const value = parsed(request.responseText);
      if (request.status < 300) resolve(value);
      else reject(new Refusal(request.status, value.error));
    });
    request.addEventListener("error", () => reject(new Away()));
    request.send(file);
  });
}

/** The header that names a file (RFC 8187). */
const named = ({ name }) =>
  `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, escaped)}`;
const escaped = (one) => `%${one.charCodeAt(0).toString(16)}`;
