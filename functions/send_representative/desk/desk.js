// The desk: a page for people who answer customers.

import { drawActs, startActs } from "./acts.js";
import { startComposer, drawComposer } from "./composer.js";
import { find, setText } from "./dom.js";
import { drawKnows } from "./knows.js";
import { drawLists, startLists } from "./lists.js";
import { keepUp } from "./live.js";
import { followAddress, startPanes } from "./panes.js";
import { startSession } from "./session.js";
import { onChange, state } from "./state.js";
import { drawTranscript, startTranscript } from "./transcript.js";
import { drawUnsent } from "./unsent.js";

function drawTop() {
  setText(find("my-name"), state.me?.name ?? "");
  find("banner").hidden = state.trouble === null;
  setText(find("banner"), state.trouble ?? "");
}

function begin() {
  startActs();
  startComposer();
  startLists();
  startPanes();
  startTranscript();
  for (const draw of [drawTop, drawLists, drawActs, drawComposer, drawTranscript, drawUnsent])
    onChange(draw);
  onChange(drawKnows);
  followAddress();
  keepUp();
}

startSession(begin);
