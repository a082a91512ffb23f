// The desk: a page for people who answer customers.

import { drawAlerts, startAlerts } from "./alerts.js";
import { drawActs, startActs } from "./acts.js";
import { startCanned } from "./canned.js";
import { drawComposer, startComposer } from "./composer.js";
import { drawDevice } from "./devices.js";
import { find, setText } from "./dom.js";
import { drawKnows } from "./knows.js";
import { drawLists, startLists } from "./lists.js";
import { keepUp } from "./live.js";
import { followAddress, startPanes } from "./panes.js";
import { drawPassing, startPassing } from "./passing.js";
import { drawPresence, startPresence } from "./presence.js";
import { startSession } from "./session.js";
import { onChange, state } from "./state.js";
import { drawTranscript, startTranscript } from "./transcript.js";
import { drawUnsent } from "./unsent.js";

function drawTop() {
  setText(find("my-name"), state.me?.name ?? "");
  find("banner").hidden = state.trouble === null;
  setText(find("banner"), state.trouble ?? "");
}

const DRAWINGS = [
  drawTop,
  drawLists,
  drawActs,
  drawPassing,
  drawPresence,
  drawComposer,
  drawTranscript,
  drawUnsent,
  drawDevice,
  drawKnows,
  drawAlerts,
];

function begin() {
  startActs();
  startAlerts();
  startCanned();
  startComposer();
  startLists();
  startPanes();
  startPassing();
  startPresence();
  startTranscript();
  DRAWINGS.forEach(onChange);
  followAddress();
  keepUp();
}

if (await startSession()) begin();
