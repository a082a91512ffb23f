// The fault switches of the simulated platforms, each with the share of calls that it affects.

import { faults } from "./api.js";
import { find, make, onPress, setText, tell } from "/send_representative/desk/dom.js";
import { model } from "./model.js";
import { inWords } from "./words.js";

const USUAL_SHARE = 50;
const SERVER_ERROR = { name: "server_error", title: "500, server error" };
const CALLS = [
  {
    name: "slow",
    title: "Slow answers",
    extra: { name: "slow_seconds", unit: "s", max: 30, step: 0.5 },
  },
  {
    name: "too_many",
    title: "429, Retry-After",
    extra: { name: "retry_after", unit: "s", max: 600, step: 1 },
  },
  SERVER_ERROR,
  { name: "drop_before", title: "Drop the call before accepting it" },
  { name: "drop_after", title: "Drop the call after accepting it" },
];
const WEBHOOKS = [
  { name: "duplicate", title: "Post webhooks twice" },
  { name: "reorder", title: "Reorder two webhooks" },
];
const FILES = [
  { name: "media_gone", title: "Files are gone" },
  { name: "media_cut", title: "Files end halfway" },
];
const CHATS = [
  { name: "created_first", title: "chat_created comes before the answer" },
  { name: "created_silent", title: "chat_created never comes" },
  { name: "created_lost", title: "Make the chat, and lose the answer" },
  {
    name: "created_seconds",
    title: "chat_created comes late",
    lasts: { unit: "s", max: 600, step: 1, usual: 20 },
  },
  { name: "closing_flat", title: "Take the end of a chat in the guide's form" },
];
const ANSWERS = [
  { name: "garbled", title: "Answer 200 with rubbish" },
  { name: "twice", title: "Give each message twice" },
];
const PLATFORMS = [
  {
    name: "business_messages",
    title: "Business Messages",
    prefix: "",
    switches: [...CALLS, ...WEBHOOKS, ...FILES],
  },
  {
    name: "dialogflow",
    title: "Dialogflow CX",
    prefix: "dialogflow-",
    switches: [...CALLS, ...ANSWERS],
  },
  {
    name: "ccai",
    title: "The contact center",
    prefix: "ccai-",
    switches: [...CALLS, ...WEBHOOKS, ...CHATS],
  },
  { name: "comments", title: "The CRM’s record", prefix: "comments-", switches: [SERVER_ERROR] },
];

export function startFaults() {
  find("faults-list").append(...PLATFORMS.map(drawPlatform));
  const form = find("faults");
  onPress(find("faults-toggle"), () => {
    form.hidden = !form.hidden;
    find("faults-toggle").setAttribute("aria-expanded", String(!form.hidden));
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", renderShares);
  form.addEventListener("change", ({ target }) =>
    put(
      PLATFORMS.filter(({ name }) => name === target.closest("fieldset").name),
      chosen,
    ),
  );
  onPress(find("faults-off"), () =>
    put(PLATFORMS, (platform) => ({ ...chosen(platform), ...none(platform) })),
  );
  renderShares();
}

function drawPlatform(platform) {
  const list = make(
    "ul",
    { class: "switches" },
    ...platform.switches.map((one) => draw(platform, one)),
  );
  return make("fieldset", { name: platform.name }, make("legend", {}, platform.title), list);
}

function draw({ prefix, title: platform }, { name, title, extra, lasts }) {
  const id = prefix + name;
  // each switch needs a unique name
  const called = (what) => (prefix ? `${platform}, ${what}: ${title}` : `${title}: ${what}`);
  const box = make("input", {
    type: "checkbox",
    role: "switch",
    id: `fault-${id}`,
    "aria-label": prefix ? `${platform}: ${title}` : null,
  });
  const label = make("label", { class: "switch" }, box, title);
  if (lasts) return make("li", {}, label, amount(`${id}-amount`, lasts, called("seconds")));
  const range = make("input", {
    type: "range",
    id: `share-${id}`,
    min: 5,
    max: 100,
    step: 5,
    value: USUAL_SHARE,
    "aria-label": called("share of calls"),
  });
  const seconds = extra ? amount(prefix + extra.name, extra, called("seconds")) : null;
  return make(
    "li",
    {},
    label,
    seconds,
    range,
    make("output", { for: `share-${id}`, id: `percent-${id}` }),
  );
}

function amount(id, { unit, max, step, usual = 2 }, label) {
  const box = make("input", {
    type: "number",
    id: `fault-${id}`,
    min: 0,
    max,
    step,
    value: usual,
    "aria-label": label,
  });
  return make("span", { class: "amount" }, box, unit);
}

function renderShares() {
  for (const { prefix, switches } of PLATFORMS)
    for (const { name } of shares(switches))
      setText(find(`percent-${prefix}${name}`), `${find(`share-${prefix}${name}`).value} %`);
}

/** All switches except those with a duration instead of a share. */
const shares = (switches) => switches.filter((one) => !one.lasts);

function chosen({ prefix, switches }) {
  const values = {};
  for (const { name, extra, lasts } of switches) {
    const strength = lasts
      ? Number(find(`fault-${prefix}${name}-amount`).value)
      : Number(find(`share-${prefix}${name}`).value) / 100;
    values[name] = find(`fault-${prefix}${name}`).checked ? strength : 0;
    if (extra) values[extra.name] = Number(find(`fault-${prefix}${extra.name}`).value);
  }
  return values;
}

const none = ({ switches }) => Object.fromEntries(switches.map(({ name }) => [name, 0]));

let asked = 0;

/** Shows only the newest answer: an earlier one lacks later changes. */
async function put(platforms, values) {
  const mine = ++asked;
  try {
    const taken = await Promise.all(
      platforms.map(async (platform) => [
        platform.name,
        await faults.set(platform.name, values(platform)),
      ]),
    );
    model.faults = { ...model.faults, ...Object.fromEntries(taken) };
    tell(find("faults-notice"), "");
  } catch (error) {
    tell(find("faults-notice"), inWords(error), "bad");
  }
  if (mine === asked) fill(model.faults);
  renderFaults();
}

export function renderFaults() {
  if (!model.faults) return;
  const on = PLATFORMS.flatMap(({ name, switches }) =>
    switches.filter((one) => model.faults[name]?.[one.name] > 0),
  ).length;
  find("faults-toggle").classList.toggle("on", on > 0);
  setText(find("faults-summary"), on ? `Faults: ${on} on` : "Faults: all off");
  if (!find("faults").contains(document.activeElement)) fill(model.faults);
}

function fill(known) {
  for (const platform of PLATFORMS)
    if (known?.[platform.name]) fillPlatform(platform, known[platform.name]);
  renderShares();
}

function fillPlatform({ prefix, switches }, values) {
  for (const { name, extra, lasts } of switches) {
    find(`fault-${prefix}${name}`).checked = values[name] > 0;
    if (values[name] > 0 && lasts) find(`fault-${prefix}${name}-amount`).value = values[name];
    if (values[name] > 0 && !lasts) find(`share-${prefix}${name}`).value = values[name] * 100;
    if (extra) find(`fault-${prefix}${extra.name}`).value = values[extra.name];
  }
}
