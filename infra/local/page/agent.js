// The name of who acts at the simulated desks, and the notices beside the controls.

import { find, tell } from "/send_representative/desk/dom.js";

const AGENT = "baton-agent-name";
const NOTICES = ["bot-notice", "csku-notice", "join-notice", "chat-notice"];

export function startAgent(whenChanged) {
  const agent = find("agent");
  agent.value = localStorage.getItem(AGENT) || agent.value;
  agent.addEventListener("input", () => {
    localStorage.setItem(AGENT, agentName());
    whenChanged();
  });
}

export const agentName = () => find("agent").value.trim();

/** The id of this person in a contact center. */
export const agentNumber = () =>
  [...agentName()].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 17);

export function clearNotices() {
  for (const notice of NOTICES) tell(find(notice), "");
}
