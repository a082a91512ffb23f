// Draws one response message of Dialogflow by its type: text, the custom payload “ujet”, a handoff
// or an end.

import { make } from "/send_representative/desk/dom.js";

const READERS = { event: "events", agent: "the agent", comment: "the CRM record" };
const PARTS = {
  text: ({ text }) => words(text.join(" / ")),
  payload: ({ ujet, ...others }) => (ujet ? drawUjet(ujet) : raw("payload", others)),
  liveAgentHandoff: ({ metadata }) => [
    badge("liveAgentHandoff", "pending"),
    detail(inWords(metadata)),
  ],
  endInteraction: () => [badge("endInteraction"), detail("the bot is done")],
};
const UJET = {
  text: ({ messages }) => words((messages ?? []).join(" / ")),
  inline_button: drawButtons,
  sticky_button: drawButtons,
  image: ({ images }) => media("image", images),
  video: ({ videos }) => media("video", videos),
  document: ({ documents }) => media("document", documents),
  action: ({ action, escalation_reason }) => [
    badge(action, "pending"),
    detail(escalation_reason ?? ""),
  ],
};

/**
 * Returns one list item per message. Captured variables are drawn separately, with their audiences.
 */
export function drawAnswer(message) {
  const kind = Object.keys(PARTS).find((name) => name in message);
  return make(
    "li",
    { class: "answer" },
    ...(kind ? PARTS[kind](message[kind]) : raw("message", message)),
  );
}

function drawUjet(ujet) {
  if (ujet.type in UJET) return UJET[ujet.type](ujet);
  const { session_variable: variable } = ujet;
  if (!variable) return raw("ujet", ujet);
  return [
    badge("session_variable"),
    detail(
      variable.capture_key
        ? `the next answer is ${variable.capture_key}`
        : "captures what is below",
    ),
  ];
}

const words = (text) => [make("span", { dir: "auto" }, `“${text}”`)];

const badge = (name, tone = "") => make("span", { class: `badge ${tone}` }, name);

const detail = (text) => make("span", { class: "because", dir: "auto" }, text);

function drawButtons({ title, buttons }) {
  const names = (buttons ?? []).map((button) =>
    make("span", { class: "chip", dir: "auto" }, button.title ?? ""),
  );
  return [
    badge("buttons"),
    make("span", { dir: "auto" }, title ?? ""),
    make("span", { class: "chips" }, ...names),
  ];
}

function media(name, files) {
  return [
    badge(name),
    ...(files ?? []).map(({ url, text }) => detail([text, url].filter(Boolean).join(", "))),
  ];
}

function raw(name, value) {
  return [
    make(
      "details",
      {},
      make("summary", {}, name),
      make("pre", { tabindex: 0 }, JSON.stringify(value, null, 2)),
    ),
  ];
}

const inWords = (metadata) =>
  Object.entries(metadata ?? {})
    .map(([key, value]) => `${key}: ${plain(value)}`)
    .join(" · ");

const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** The variables of an answer, each with the audiences from which it is hidden. */
export function drawCaptured(captured) {
  if (!captured.length) return null;
  const rows = captured.map(({ key, value, asks, audiences }) =>
    make(
      "li",
      {},
      make("span", { class: "key", dir: "auto" }, key),
      make("span", { dir: "auto" }, asks ? "asked for" : plain(value)),
      reach(audiences),
    ),
  );
  return make("ul", { class: "captured", "aria-label": "Variables captured" }, ...rows);
}

function reach(audiences) {
  const hidden = Object.entries(READERS)
    .filter(([audience]) => !audiences.includes(audience))
    .map(([, reader]) => reader);
  return make(
    "span",
    { class: hidden.length ? "reach some" : "reach" },
    hidden.length ? `hidden from ${hidden.join(" and ")}` : "everybody sees it",
  );
}
