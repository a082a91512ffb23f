// Who the person at the desk is, and the notices beside what they do.

import { find, tell } from "./dom.js";
import { model } from "./model.js";

export const agentName = () => find("agent").value.trim();

export const isPresent = () =>
  Boolean(model.conversation?.representatives.some((one) => one.displayName === agentName()));

export function clearNotices() {
  for (const notice of find("work").querySelectorAll(".notice")) tell(notice, "");
}
