// Whether a person is available: Baton offers conversations only to who is. An open page says that
// the person is there, and the live request renews that.

import { baton } from "./api.js";
import { find, setText, tell } from "./dom.js";
import { lookNow } from "./live.js";
import { page } from "./page.js";
import { changed, state } from "./state.js";
import { inWords } from "./words.js";

export function startPresence() {
  if (state.me.kind !== "person") return;
  find("presence").hidden = false;
  find("presence").addEventListener("click", turn);
}

async function turn() {
  const wanted = state.presence?.state === "available" ? "away" : "available";
  try {
    state.presence = await baton.presence(wanted, page);
  } catch (error) {
    tell(find("notice"), inWords(error), "bad");
  }
  changed();
  lookNow();
}

export function drawPresence() {
  const { presence } = state;
  if (!presence) return;
  const available = presence.state === "available";
  const held = presence.slots.filter((one) => one.kind === "held").length;
  const of = Number.isInteger(presence.capacity) ? ` (${held} of ${presence.capacity})` : "";
  find("presence").setAttribute("aria-pressed", String(available));
  setText(find("presence"), `You are ${available ? "available" : "away"}${of}`);
}
