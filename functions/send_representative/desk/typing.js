// Shows the customer that this person types, until they pause.

import { baton } from "./api.js";
import { idOf, isMine, myself, state } from "./state.js";

const PAUSE = 5000;

let typingIn = null; // the conversation
let stillness = 0;

export function startTyping() {
  addEventListener("pagehide", () => stopTyping(true));
}

export function tellTyping(writes) {
  clearTimeout(stillness);
  const { conversation } = state;
  if (writes && !typingIn && conversation && isMine(conversation)) {
    typingIn = idOf(conversation);
    signal(typingIn, "TYPING_STARTED");
  }
  if (typingIn) stillness = setTimeout(() => stopTyping(true), writes ? PAUSE : 0);
}

/** Ends the typing, and with `told` the customer's phone is told. */
export function stopTyping(told) {
  clearTimeout(stillness);
  if (typingIn && told) signal(typingIn, "TYPING_STOPPED");
  typingIn = null;
}

function signal(conversation, eventType) {
  baton.typing(conversation, eventType, myself()).catch(() => {}); // best effort
}
