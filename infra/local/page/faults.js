// The switches that make the simulated platform misbehave, each with the share of calls it strikes.

import { platform } from "./api.js";
import { find, make, onPress, setText, tell } from "./dom.js";
import { model } from "./model.js";
import { inWords } from "./words.js";

const USUAL_SHARE = 50;
const SWITCHES = [
  { name: "slow", title: "Slow answers", extra: { name: "slow_seconds", unit: "s", max: 30, step: 0.5 } },
  { name: "too_many", title: "429, Retry-After", extra: { name: "retry_after", unit: "s", max: 600, step: 1 } },
  { name: "server_error", title: "500, server error" },
  { name: "drop_before", title: "Drop the call before accepting it" },
  { name: "drop_after", title: "Drop the call after accepting it" },
  { name: "duplicate", title: "Post webhooks twice" },
  { name: "reorder", title: "Reorder two webhooks" },
];

export function startFaults() {
  find("faults-list").append(...SWITCHES.map(draw));
  const form = find("faults");
  onPress(find("faults-toggle"), () => {
    form.hidden = !form.hidden;
    find("faults-toggle").setAttribute("aria-expanded", String(!form.hidden));
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", renderShares);
  form.addEventListener("change", () => put(chosen()));
  onPress(find("faults-off"), () => put({ ...chosen(), ...Object.fromEntries(SWITCHES.map(({ name }) => [name, 0])) }));
  renderShares();
}

function draw({ name, title, extra }) {
  const toggle = make("label", { class: "switch" }, make("input", { type: "checkbox", role: "switch", id: `fault-${name}` }), title);
  const range = make("input", { type: "range", id: `share-${name}`, min: 5, max: 100, step: 5, value: USUAL_SHARE, "aria-label": `${title}: share of calls` });
  return make("li", {}, toggle, extra ? amount(title, extra) : null, range, make("output", { for: `share-${name}`, id: `percent-${name}` }));
}

function amount(title, { name, unit, max, step }) {
  const box = make("input", { type: "number", id: `fault-${name}`, min: 0, max, step, value: 2, "aria-label": `${title}: seconds` });
  return make("span", { class: "amount" }, box, unit);
}

function renderShares() {
  for (const { name } of SWITCHES) setText(find(`percent-${name}`), `${find(`share-${name}`).value} %`);
}

function chosen() {
  const faults = {};
  for (const { name, extra } of SWITCHES) {
    faults[name] = find(`fault-${name}`).checked ? Number(find(`share-${name}`).value) / 100 : 0;
    if (extra) faults[extra.name] = Number(find(`fault-${extra.name}`).value);
  }
  return faults;
}

async function put(faults) {
  try {
    model.faults = await platform.setFaults(faults);
    tell(find("faults-notice"), "");
  } catch (error) {
    tell(find("faults-notice"), inWords(error), "bad");
  }
  fill(model.faults);
  renderFaults();
}

export function renderFaults() {
  if (!model.faults) return;
  const on = SWITCHES.filter(({ name }) => model.faults[name] > 0).length;
  find("faults-toggle").classList.toggle("on", on > 0);
  setText(find("faults-summary"), on ? `Faults: ${on} on` : "Faults: all off");
  if (!find("faults").contains(document.activeElement)) fill(model.faults);
}

function fill(faults) {
  if (!faults) return;
  for (const { name, extra } of SWITCHES) {
    find(`fault-${name}`).checked = faults[name] > 0;
    if (faults[name] > 0) find(`share-${name}`).value = faults[name] * 100;
    if (extra) find(`fault-${extra.name}`).value = faults[extra.name];
  }
  renderShares();
}
