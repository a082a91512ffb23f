// Where a person writes: a reply to the customer with files, or a note for colleagues.

import { startAttaching } from "./attach.js";
import { find, onSend, setText } from "./dom.js";
import { draftOf, keepDraft } from "./drafts.js";
import { idOf, isMine, state } from "./state.js";
import { startTyping, stopTyping, tellTyping } from "./typing.js";
import { send } from "./unsent.js";

const WORDS = {
  reply: { label: "Your reply", hint: "Write to the customer", button: "Send" },
  note: { label: "Your note", hint: "Only colleagues read this", button: "Save note" },
};

let shownOf = null; // whose draft is in the box
let mode = "reply";
let inHand = null; // the files of the reply

const box = () => find("reply-text");
const choices = () => find("mode").querySelectorAll("[value]");

export function startComposer() {
  inHand = startAttaching("reply", find("conversation"));
  onSend(find("reply"), box(), submit, () => mode === "reply" && inHand.hasFiles());
  box().addEventListener("input", () => {
    if (shownOf) keepDraft(shownOf, mode, box().value);
    if (mode === "reply") tellTyping(box().value !== "");
  });
  for (const choice of choices())
    choice.addEventListener("click", () => {
      turnTo(shownOf, choice.value);
      box().focus();
    });
  startTyping();
}

async function submit(text) {
  const conversation = shownOf;
  stopTyping(false); // the message itself ends it
  keepDraft(conversation, mode, "");
  if (mode === "note") send(conversation, { text, note: true });
  else sendReply(conversation, text);
  return true;
}

/** The text goes with the first file. */
function sendReply(conversation, text) {
  const files = inHand.take();
  if (!files.length) send(conversation, { text });
  files.forEach((file, index) => send(conversation, { text: index ? "" : text, file }));
}

export function drawComposer() {
  const { conversation } = state;
  find("reply").hidden = !conversation;
  if (!conversation) return;
  const id = idOf(conversation);
  const mayReply = isMine(conversation) && !conversation.tracked;
  find("mode").querySelector("[value=reply]").hidden = !mayReply;
  if (id !== shownOf) turnTo(id, mayReply ? "reply" : "note");
  else if (!mayReply && mode === "reply") turnTo(id, "note");
  inHand.turnTo(id);
}

function turnTo(id, to) {
  if (id === shownOf && to === mode) return;
  stopTyping(true);
  shownOf = id;
  mode = to;
  box().value = draftOf(id, mode);
  const words = WORDS[mode];
  setText(find("reply-label"), words.label);
  box().placeholder = words.hint;
  setText(find("send"), words.button);
  find("reply").dataset.mode = mode;
  find("reply-attach").hidden = mode === "note";
  for (const choice of choices())
    choice.setAttribute("aria-pressed", String(choice.value === mode));
}

/** Goes on writing to the customer, after they were claimed. */
export function beginReply() {
  if (shownOf) turnTo(shownOf, "reply");
  box().focus();
}

/** Puts words into the reply where the cursor is. */
export function insert(text) {
  const area = box();
  area.focus();
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

