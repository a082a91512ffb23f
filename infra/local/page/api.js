// All requests of the page: to the simulated platforms, to Baton's REST API, and to CSKU's webhook.

const KEYS = { bot: "dev-bot", agent: "dev-agent", admin: "dev-admin", csku: "dev-csku-secret" };
const TIMEOUT = 10_000;
// the channels with simulated customers
export const CHANNELS = ["business_messages", "rcs", "whatsapp"];
const REST = "/send_representative/v1/conversations";
const FAULTS = {
  business_messages: CHANNELS.map((channel) => `/sim/${channel}/faults`),
  dialogflow: ["/sim/dialogflow/faults"],
  ccai: ["/sim/ccai/faults"],
  comments: ["/local/comments-faults"],
};

/** The server does not answer. */
export class Away extends Error {}

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

async function call(method, path, body, authorization) {
  const headers = { "content-type": "application/json", ...(authorization && { authorization }) };
  const options = { method, headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) };
  if (body !== undefined) options.body = JSON.stringify(body);
  let response;
  let answer;
  try {
    response = await fetch(path, options);
    answer = await response.text();
  } catch {
    throw new Away("Baton does not answer.");
  }
  const value = parsed(answer);
  if (!response.ok) throw new Refusal(response.status, value.error);
  return value;
}

/** Sends the bytes of a file. `onProgress` is called with the share that has been sent. */
function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.setRequestHeader("content-disposition", named(file));
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener("load", () => {
      const value = parsed(request.responseText);
      if (request.status < 300) resolve(value);
      else reject(new Refusal(request.status, value.error));
    });
    request.addEventListener("error", () => reject(new Away("The upload was cut off. Try again.")));
    request.send(file);
  });
}

/** The header that names a file (RFC 8187). */
const named = ({ name }) =>
  `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, escaped)}`;
const escaped = (one) => `%${one.charCodeAt(0).toString(16)}`;

function parsed(answer) {
  try {
    return JSON.parse(answer);
  } catch {
    return {};
  }
}

const customers = (channel) => `/sim/${channel}/customers`;
const customer = (channel, id) => `${customers(channel)}/${encodeURIComponent(id)}`;
const place = (conversation) => `${REST}/${encodeURIComponent(conversation)}`;
const bearer = (key) => `Bearer ${KEYS[key]}`;

export const platform = {
  customers: (channel) => call("GET", customers(channel)),
  /** The customers of every channel, by its name. */
  everybody: () => call("GET", "/local/customers"),
  introduce: (channel, displayName, username) =>
    call("POST", customers(channel), { displayName, username }),
  transcript: (channel, id, after) => call("GET", `${customer(channel, id)}?after=${after}`),
  say: (channel, id, text, displayName) =>
    call("POST", `${customer(channel, id)}/messages`, {
      messageId: crypto.randomUUID(),
      text,
      displayName,
    }),
  sendFile: (channel, id, file, more, onProgress) =>
    upload(
      `${customer(channel, id)}/media?${new URLSearchParams({ fileName: file.name, ...more })}`,
      file,
      onProgress,
    ),
  edit: (channel, id, message, text) =>
    call("PATCH", `${customer(channel, id)}/messages/${encodeURIComponent(message)}`, { text }),
  revoke: (channel, id, message) =>
    call("DELETE", `${customer(channel, id)}/messages/${encodeURIComponent(message)}`),
  tap: (channel, id, { text, postbackData }) =>
    call("POST", `${customer(channel, id)}/messages`, { text, postbackData }),
  agent: (channel, id) => call("GET", `${customer(channel, id)}/agent`),
  letAgentAnswer: (channel, id, answers) =>
    call("PUT", `${customer(channel, id)}/agent`, { answers }),
  hideNumber: (channel, id, hidesNumber) =>
    call("POST", `${customer(channel, id)}/status`, { hidesNumber }),
  /** What the phone reports by itself: `isTyping`, or `read`, the id of a message. */
  status: (channel, id, what) => call("POST", `${customer(channel, id)}/status`, what),
  askForHuman: (channel, id) =>
    call("POST", `${customer(channel, id)}/status`, { requestedLiveAgent: true }),
};

/** The fault switches of each simulated platform, by name. All channels share one setting. */
export const faults = {
  read: async () =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(FAULTS).map(async ([name, [path]]) => [name, await call("GET", path)]),
      ),
    ),
  set: async (name, values) =>
    (await Promise.all(FAULTS[name].map((path) => call("PUT", path, values))))[0],
};

/** The people whose keys everybody knows: one of them is signed in at the desk. */
export const people = async () => (await call("GET", "/local/people")).people;

export const bot = {
  of: (id) => call("GET", `/local/bot/${encodeURIComponent(id)}`),
};

export const baton = {
  list: (phase) => call("GET", `${REST}?phase=${phase}`, undefined, bearer("agent")),
  get: (id) => call("GET", place(id), undefined, bearer("agent")),
  journal: (id, cursor) =>
    call(
      "GET",
      `${place(id)}/journal${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`,
      undefined,
      bearer("agent"),
    ),
  sayAsBot: (id, text) =>
    call("POST", `${place(id)}/messages`, { messageId: crypto.randomUUID(), text }, bearer("bot")),
  link: (desk, to) => call("POST", `${place(desk)}:link`, { to }, bearer("admin")),
  unlink: (one) => call("POST", `${place(one)}:unlink`, {}, bearer("admin")),
};

/** The simulated CCAI Platform as its agents use it: the view of a chat, and their actions. */
export const contactCenter = {
  chat: (number) => call("GET", customer("ccai", number)),
  act: (number, action) => call("POST", `${customer("ccai", number)}/agent`, action),
};

export const crm = {
  token: (agent) => call("GET", `/local/bridge_token?agent=${encodeURIComponent(agent)}`),
  variables: (id) => call("GET", `/local/variables/${encodeURIComponent(id)}`),
  sessionVariable: (id, session_variable) =>
    call("POST", `/local/variables/${encodeURIComponent(id)}`, { session_variable }),
  link: (session, to) => baton.link(session, to),
  comments: (id) => call("GET", `/local/comments/${encodeURIComponent(id)}`),
};

/** Posts a webhook as CSKU does. Returns the id of its entry in Baton's journal. */
export async function postCskuEvent(event, conversationId, needHuman, speaker, text) {
  const id = `msg_${crypto.randomUUID()}`;
  const message = { id, ...speaker, content: { type: "text", text } };
  const timestamp = Math.floor(Date.now() / 1000);
  const body = {
    event,
    timestamp,
    conversation_id: conversationId,
    need_human: needHuman,
    message,
  };
  await call("POST", "/receive_webhook/csku", body, KEYS.csku);
  return `${event}:${id}`;
}
