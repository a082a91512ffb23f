// What the customers' devices tell while this page is open: that a customer types, and which
// messages have arrived and were read.

import { find, setText } from "./dom.js";
import { state } from "./state.js";
import { customerName } from "./words.js";

/** Notes what an answer of Baton says of a customer's device. */
export function noteDevice({ name, device }) {
  if (!device) return;
  const typingUntil = Date.now() + (device.typingSeconds ?? 0) * 1000;
  state.devices.set(name, { typingUntil, receipts: device.receipts });
}

export const isTyping = ({ name }) => (state.devices.get(name)?.typingUntil ?? 0) > Date.now();

/** Returns "delivered" or "read" for a message with these ids, null where nothing is known. */
export function receivedOf({ name }, ids) {
  const receipts = state.devices.get(name)?.receipts ?? {};
  const known = ids.map((id) => receipts[id]).filter(Boolean);
  if (!known.length) return null;
  return known.includes("READ") ? "read" : "delivered";
}

export function drawDevice() {
  const { conversation } = state;
  const types = Boolean(conversation) && isTyping(conversation);
  setText(find("typing"), types ? `${customerName(conversation)} is typing …` : "");
}
