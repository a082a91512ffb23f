// On a narrow screen one pane is shown at a time. The address says which conversation is open, so
// the browser's own way back works.

import { find } from "./dom.js";
import { open } from "./live.js";
import { state } from "./state.js";

export function startPanes() {
  find("back").addEventListener("click", () => {
    location.hash = "";
  });
  find("knows-open").addEventListener("click", () =>
    turnTo(knowsIsOpen() ? "conversation" : "knows"),
  );
  find("knows-close").addEventListener("click", () => {
    turnTo("conversation");
    find("knows-open").focus();
  });
  addEventListener("hashchange", followAddress);
}

const knowsIsOpen = () => document.body.dataset.pane === "knows";

export function followAddress() {
  const id = new URLSearchParams(location.hash.slice(1)).get("conversation");
  const before = state.open;
  open(id);
  turnTo(id ? "conversation" : "lists");
  // in a frame, the page around it may have turned to another conversation while somebody types
  if (!document.hasFocus()) return;
  if (id && id !== before) find("conversation").focus();
  else if (!id && before) focusRow(before);
}

function turnTo(pane) {
  document.body.dataset.pane = pane;
  find("knows-open").setAttribute("aria-expanded", String(pane === "knows"));
  if (pane === "knows") find("knows-close").focus();
}

function focusRow(id) {
  document.querySelector(`#lists [data-key="${CSS.escape(id)}"] button`)?.focus();
}
