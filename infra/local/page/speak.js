// How the bot speaks through the REST API, and CSKU's human and AI by what its webhook reports.

import { baton, postCskuEvent } from "./api.js";
import { agentName, clearNotices } from "./agent.js";
import { find, onPress, onSend, tell } from "/send_representative/desk/dom.js";
import { lookNow, model } from "./model.js";
import { inWords } from "./words.js";

const AI_WORDS = "You are back with me. Ask me anything else.";
const WAITS_FOR_VERDICT = 20;

export function startSpeaking() {
  onSend(find("bot-says"), find("bot-text"), sayAsBot);
  onSend(find("csku-says"), find("csku-text"), replyAsCsku);
  onPress(find("csku-ai"), sayNoHumanNeeded);
}

function replyAsCsku(text) {
  return attempt(find("csku-notice"), async (id) => {
    if (!agentName()) throw new Error("Give your name first.");
    const { desk, said } = await linked(id);
    await postCskuEvent("agent.message_out", desk, 1, { agent: { name: agentName() } }, text);
    return `${said}Posted to /receive_webhook/csku as agent.message_out by ${agentName()}.`;
  });
}

function sayAsBot(text) {
  return attempt(find("bot-notice"), async (id) => {
    await baton.sayAsBot(id, text);
    return "Taken: the bot may speak now.";
  });
}

function sayNoHumanNeeded() {
  return attempt(find("csku-notice"), async (id) => {
    const { desk, said } = await linked(id);
    const event = await postCskuEvent(
      "ai.message_generated",
      desk,
      0,
      { ai: { name: "CSKU AI" } },
      AI_WORDS,
    );
    const verdict = await verdictInWords(event);
    return `${said}Posted as ai.message_generated with need_human 0. ${verdict}`;
  });
}

/** Links a CSKU conversation to this customer's, unless one is linked, and reports it. */
async function linked(id) {
  const known = model.conversation?.links.find((link) => link.startsWith("csku:"));
  if (known) return { desk: known.slice("csku:".length), said: "" };
  const desk = `page-${crypto.randomUUID().slice(0, 8)}`;
  await baton.link(`csku:${desk}`, id);
  return { desk, said: `First linked csku:${desk} to ${id} with the admin key. ` };
}

async function verdictInWords(event) {
  for (let tries = 0; tries < WAITS_FOR_VERDICT; tries += 1) {
    const entry = model.entries.find((one) => one.eventId === event);
    if (entry) return entry.verdict === "accepted" ? acceptedInWords(entry) : unheardInWords(entry);
    lookNow();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return "";
}

function acceptedInWords(entry) {
  const left = entry.commands.some((command) => command.eventType === "REPRESENTATIVE_LEFT");
  return left
    ? "CSKU’s human left, and the bot speaks again."
    : "No human was here, so it went out as a bot’s message.";
}

function unheardInWords(entry) {
  const holder = model.conversation?.representatives[0]?.displayName ?? "A human";
  return entry.verdict === "suppressed"
    ? `Kept from the customer: ${holder} came through the API, ` +
        "so CSKU’s AI may not speak over them. " +
        "Leave, reply as a CSKU event instead of claiming, and try again."
    : `Baton took it as ${entry.verdict}: it changes nothing.`;
}

/**
 * Returns whether the box may be cleared: the text was sent, or its conversation is no longer
 * shown.
 */
async function attempt(notice, act) {
  const id = model.selected;
  const report = (text, tone) => model.selected === id && tell(notice, text, tone);
  clearNotices();
  try {
    report(await act(id), "good");
    return true;
  } catch (error) {
    report(inWords(error), "bad");
    return model.selected !== id;
  } finally {
    lookNow();
  }
}
