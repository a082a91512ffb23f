// What a person does with the open conversation besides writing: they take it and give it up.

import { baton } from "./api.js";
import { beginReply } from "./composer.js";
import { confirmed } from "./dialogs.js";
import { find, onPress, setText, tell } from "./dom.js";
import { lookNow } from "./live.js";
import { isOfferedToMe } from "./passing.js";
import { idOf, isMine, myself, state } from "./state.js";
import { customerName, inWords, names } from "./words.js";

let toldOf = null; // the conversation whose notice is shown, and its phase then
let busy = false;

export function startActs() {
  onPress(find("claim"), claim);
  onPress(find("release"), release);
  onPress(find("nobody"), nobody);
}

async function claim() {
  const offer = isOfferedToMe(state.conversation) ? { offer: state.conversation.offer.id } : {};
  const done = await act("claim", { ...offer, representative: myself() }, () => "");
  if (done) beginReply();
}

const release = () =>
  act("release", { representative: myself() }, (now) =>
    now.phase === "BOT"
      ? "You left. The assistant speaks again."
      : `You left. ${names(now.representatives)} is still there.`,
  );

async function nobody() {
  const sure = await confirmed(
    "Nobody is available?",
    "The customer is told so, and is with the assistant again.",
    "Tell the customer",
  );
  if (!sure) return;
  await act("fail", { reason: "nobody is available" }, () => "The customer was told.");
}

/** Returns whether it was done. What followed, or what went wrong, is said beside the buttons. */
export async function act(verb, body, words) {
  if (busy || !state.conversation) return false;
  const id = idOf(state.conversation);
  const say = (text, tone) => state.open && tell(find("notice"), text, tone);
  busy = true;
  drawActs();
  try {
    const now = await baton.act(id, verb, { requestId: crypto.randomUUID(), ...body });
    if (state.conversation && idOf(state.conversation) === id && now.phase)
      state.conversation = { ...state.conversation, ...now };
    toldOf = { id, phase: state.conversation?.phase };
    say(words(now), "good");
    return true;
  } catch (error) {
    say(inWords(error), "bad");
    return false;
  } finally {
    busy = false;
    drawActs();
    lookNow();
  }
}

export function drawActs() {
  const { conversation, gone, open } = state;
  find("working").hidden = !conversation;
  find("nothing").hidden = Boolean(conversation);
  setText(find("nothing"), nothingInWords(open, gone));
  if (!conversation) return;
  forgetNotice(conversation);
  const { phase, tracked } = conversation;
  const mine = isMine(conversation);
  setText(find("title"), customerName(conversation));
  const shown = {
    claim: !mine && !tracked && (phase !== "HUMAN" || isOfferedToMe(conversation)),
    release: mine,
    nobody: phase === "QUEUED" && !tracked,
  };
  for (const [name, is] of Object.entries(shown)) {
    find(name).hidden = !is;
    find(name).setAttribute("aria-disabled", String(busy));
  }
  setText(find("claim"), isOfferedToMe(conversation) ? "Accept" : "Claim");
  setText(find("standing"), standingInWords(conversation, mine));
}

function nothingInWords(open, gone) {
  if (gone) return "Baton keeps nothing of this conversation: it was erased, or never began.";
  return open ? "Opening …" : "Choose a conversation.";
}

function standingInWords({ phase, representatives, tracked }, mine) {
  if (tracked) return "Its own platform delivers this conversation";
  if (phase === "QUEUED") return "Waits for a person";
  if (phase === "BOT") return "With the assistant";
  const others = representatives.filter((one) => one.displayName !== state.me.name);
  if (!mine) return `${names(others)} is here`;
  return others.length ? `You and ${names(others)} are here` : "You are here";
}

/** A notice goes with its conversation, and when somebody else speaks there. */
function forgetNotice(conversation) {
  const id = idOf(conversation);
  if (toldOf && toldOf.id === id && toldOf.phase === conversation.phase) return;
  if (find("notice").dataset.tone === "bad" && toldOf?.id === id) return;
  if (toldOf) tell(find("notice"), "");
  toldOf = { id, phase: conversation.phase };
}
