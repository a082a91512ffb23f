// The agent at the desk, and the notices beside their controls.

import { find, tell } from "/send_representative/desk/dom.js";
import { model } from "./model.js";

export const agentName = () => find("agent").value.trim();

/** The id of this person in a contact center. */
export const agentNumber = () =>
  [...agentName()].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 17);

export const isPresent = () =>
  Boolean(model.conversation?.representatives.some((one) => one.displayName === agentName()));

export function clearNotices() {
  for (const notice of document.querySelectorAll("#work .notice, #join-notice, #chat-notice"))
    tell(notice, "");
}
