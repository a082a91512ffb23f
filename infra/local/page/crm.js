// A CRM page around the agent adapter: bridge.js for real, and a ticket that shows what each
// audience sees.

import { baton, crm } from "./api.js";
import { agentName } from "./agent.js";
import { renderComments } from "./comments.js";
import { find, make, onPress, setText, show, tell } from "/send_representative/desk/dom.js";
import { customerName, lookNow, model } from "./model.js";
import { inWords } from "./words.js";

const PAUSE = 700;
const SCRIPT = "/forward_variables/bridge.js";
const ADAPTER = `${location.protocol}//adapter.localhost:${location.port}`;
const AUDIENCES = ["event", "agent", "comment"];
const PAYLOAD = {
  payload: {
    key_one: "Oslo",
    key_two: "cake",
    key_three: 250,
    key_four: "2026-05-01",
    key_five: "2026-05-08",
  },
  capture_type: ["comment", "agent", "event"],
  capture_target: "payload",
  invisible_to_agent: ["key_one", "key_two"],
  invisible_to_adapter_events: ["key_three", "key_two"],
};

const counts = { sent: 0, dropped: 0 };
let bridge = null;
let ticket = null;
let record = { conversation: null, comments: [] };

export function startCrm() {
  onPress(find("crm-toggle"), () => open(find("crm").hidden));
  onPress(find("crm-link"), () =>
    attempt(
      () => crm.link(ticket.session, model.selected),
      "Linked: it is the customer’s conversation now.",
    ),
  );
  find("payload").addEventListener("submit", sendPayload);
  find("payload-json").value = JSON.stringify(PAYLOAD, null, 2);
  addEventListener("baton:virtual-agent", ({ detail }) => openTicket(detail, words(detail)));
  addEventListener("baton:variables", ({ detail }) => openTicket(detail, null));
}

async function open(shown) {
  find("crm").hidden = !shown;
  document.body.classList.toggle("crm-open", shown);
  find("crm-toggle").setAttribute("aria-pressed", String(shown));
  if (shown && !bridge) await startBridge();
  while (shown && !find("crm").hidden) {
    await look();
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

async function startBridge() {
  const frame = make("iframe", { title: "The agent adapter", src: `${ADAPTER}/` });
  find("adapter").append(frame);
  setText(find("adapter-origin"), ADAPTER);
  await import(SCRIPT);
  bridge = BatonBridge.start({
    endpoint: `${location.origin}/forward_variables`,
    adapterOrigins: [ADAPTER],
    frame,
    getToken: async () => (await crm.token(agentName() || "agent")).token,
    onSent: (ids) => (counts.sent += ids.length),
    onError: heardError,
  });
}

function heardError(error) {
  if (!error.retrying) counts.dropped += 1;
  tell(find("crm-notice"), error.message, "bad");
}

/** Opens the ticket of the session that an event concerns. */
function openTicket({ data }, status) {
  const native = data.chat_id ? `chat-${data.chat_id}` : `call-${data.call_id}`;
  const session = `ccai:${native}`;
  if (ticket?.session !== session)
    ticket = { session, title: native.replace("-", " "), status: null, view: null };
  ticket.status = status ?? ticket.status;
  tell(find("crm-notice"), "");
  render();
}

function words({ type, data }) {
  const name = data.virtual_agent_name || "A virtual agent";
  if (type === "Task_VA_Joined") return `${name} joined.`;
  return `${name} left${data.finish_reason ? `: ${data.finish_reason}` : ""}.`;
}

async function sendPayload(event) {
  event.preventDefault();
  if (!ticket) openTicket({ data: { chat_id: 103646 } }, null);
  const said = find("payload-json").value;
  await attempt(async () => {
    const { unknown } = await crm.sessionVariable(ticket.session, parsed(said));
    return unknown.length
      ? `Taken, but no such key is in the payload: ${unknown.join(", ")}.`
      : null;
  }, "Taken, as if the platform had signed it.");
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("This is not JSON; nothing was sent.");
  }
}

async function attempt(act, said) {
  try {
    const warning = await act();
    tell(
      find("crm-notice"),
      typeof warning === "string" ? warning : said,
      typeof warning === "string" ? "bad" : "good",
    );
  } catch (error) {
    tell(find("crm-notice"), inWords(error), "bad");
  }
  lookNow();
  await look();
}

async function look() {
  const looked = ticket;
  if (looked) looked.view = await view(looked).catch(() => looked.view);
  await lookAtRecord(looked?.view?.conversation ?? looked?.session ?? model.selected);
  render();
}

/** Shows the record of the ticket, or else of the customer who is chosen on the other page. */
async function lookAtRecord(conversation) {
  const { comments } = conversation
    ? await crm.comments(conversation).catch(() => record)
    : { comments: [] };
  record = { conversation, comments };
}

/** Returns the views of all audiences. The agent's view is read from the REST API. */
async function view({ session }) {
  const held = await crm.variables(session);
  return { ...held, agent: (await baton.get(held.conversation)).variables };
}

function render() {
  const { sent, dropped } = counts;
  const waiting = bridge?.pending() ?? 0;
  setText(
    find("bridge-state"),
    `bridge.js: ${sent} sent, ${waiting} waiting, ${dropped} dropped, ` +
      `${bridge?.ignored() ?? 0} ignored`,
  );
  renderComments(record.conversation, record.comments);
  find("ticket").hidden = !ticket;
  find("no-ticket").hidden = Boolean(ticket);
  if (!ticket) return;
  setText(find("ticket-title"), ticket.title);
  setText(find("ticket-status"), ticket.status ?? "");
  const where = ticket.view?.conversation ?? ticket.session;
  setText(find("ticket-where"), where);
  setText(find("crm-link"), `Link to ${customerName() ?? "the chosen customer"}`);
  find("crm-link").hidden =
    where !== ticket.session || !model.selected?.startsWith("business_messages:");
  for (const audience of AUDIENCES)
    renderAudience(find(`sees-${audience}`), seen(audience), hidden(audience));
}

/** The topic carries changes only: a consumer keeps the latest value of each key. */
function seen(audience) {
  if (audience === "event")
    return Object.assign({}, ...(ticket.view?.topic ?? []).map(({ variables }) => variables));
  return (
    (audience === "agent" ? ticket.view?.agent : ticket.view?.audiences[audience].variables) ?? {}
  );
}

const hidden = (audience) => ticket.view?.audiences[audience].hidden ?? 0;

function renderAudience(place, variables, count) {
  const rows = Object.entries(variables).map(([key, value]) => ({
    key,
    text: typeof value === "string" ? value : JSON.stringify(value),
  }));
  const told = rows.length ? rows : [{ key: "empty", empty: "Nothing yet." }];
  show(
    place.querySelector(".variables"),
    told,
    ({ key }) => key,
    ({ key, text, empty }) =>
      empty
        ? make("li", { class: "empty" }, empty)
        : make(
            "li",
            {},
            make("span", { class: "key", dir: "auto" }, key),
            make("span", { dir: "auto" }, text),
          ),
  );
  setText(place.querySelector(".hidden"), count ? `${count} hidden` : "nothing hidden");
  place.querySelector(".hidden").classList.toggle("some", count > 0);
}
