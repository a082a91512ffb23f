// Questions that are asked before something that a customer notices.

import { find, setText } from "./dom.js";

/** Opens a dialog. Returns whether its button of consent was pressed. */
export function opened(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}

export function confirmed(title, text, button) {
  setText(find("sure-title"), title);
  setText(find("sure-text"), text);
  setText(find("sure-yes"), button);
  return opened(find("sure"));
}
