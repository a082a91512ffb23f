// Files that are chosen, pasted or dropped to be sent with a message, and how far they came.

import { find, make, onPress } from "./dom.js";
import { sized, titleOf } from "./files.js";

/** No files, and none that is being sent. */
const emptyHand = () => ({ files: [], sending: null });

/**
 * Lets files be added to a form, whose elements have ids that begin with `name`. `place` is where
 * they may be dropped. Each conversation has its own files in hand: `turnTo` shows them.
 */
export function startAttaching(name, place) {
  const [chooser, box, tray] = [`${name}-file`, `${name}-text`, `${name}-tray`].map(find);
  const hands = new Map([[null, emptyHand()]]);
  let hand = hands.get(null);
  const draw = () => renderTray(tray, hand, draw);
  const add = (files) => {
    hand.files.push(...files);
    draw();
    box.focus();
  };
  onPress(find(`${name}-attach`), () => chooser.click());
  chooser.addEventListener("change", () => {
    add([...chooser.files]);
    chooser.value = "";
  });
  box.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    add([...event.clipboardData.files]);
  });
  acceptDrops(place, add);
  const turnTo = (conversation) => {
    if (!hands.has(conversation)) hands.set(conversation, emptyHand());
    if (hands.get(conversation) === hand) return;
    hand = hands.get(conversation);
    draw();
  };
  const onProgress = (whose) => (share) => whose === hand && showProgress(tray, share);
  const take = () => {
    const taken = hand.files.splice(0);
    draw();
    return taken;
  };
  return {
    hasFiles: () => hand.files.length > 0,
    take,
    send: (one) => sendAll(hand, one, draw, onProgress(hand)),
    turnTo,
  };
}

/** Sends files in order. Each leaves the tray once it was sent, also if a later one fails. */
async function sendAll(hand, one, draw, onProgress) {
  if (hand.sending) throw new Error("The files before these are still being sent.");
  try {
    while (hand.files.length) {
      hand.sending = hand.files[0];
      draw();
      await one(hand.sending, onProgress);
      hand.files.shift();
    }
  } finally {
    hand.sending = null;
    draw();
  }
}

function acceptDrops(place, add) {
  const holds = (event) => [...event.dataTransfer.types].includes("Files");
  const mark = (is) => place.classList.toggle("dropping", is);
  place.addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    mark(true);
  });
  place.addEventListener("dragleave", (event) => {
    if (!place.contains(event.relatedTarget)) mark(false);
  });
  place.addEventListener("drop", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    mark(false);
    add([...event.dataTransfer.files]);
  });
}

function renderTray(tray, hand, draw) {
  tray.hidden = hand.files.length === 0;
  tray.replaceChildren(...hand.files.map((file) => drawFile(tray, file, hand, draw)));
}

function drawFile(tray, file, hand, draw) {
  const title = titleOf({ kind: kindOf(file), fileName: file.name });
  const name = make("bdi", { class: "name" }, title);
  const size = make("span", { class: "size" }, sized(file.size));
  if (hand.sending === file) {
    const bar = make("progress", { max: 1, value: 0, "aria-label": `Sending ${title}` });
    return make("li", {}, name, size, bar);
  }
  const remove = make(
    "button",
    { type: "button", class: "small", "aria-label": `Remove ${title}` },
    "Remove",
  );
  onPress(remove, () => {
    hand.files.splice(hand.files.indexOf(file), 1);
    draw();
    find(tray.id.replace("tray", "text")).focus();
  });
  return make("li", {}, name, size, remove);
}

function showProgress(tray, share) {
  const bar = tray.querySelector("progress");
  if (bar) bar.value = share;
}

/** The kind of a file that a customer sends: phones record their voice notes as Ogg. */
export function kindOf({ type }) {
  const [family] = type.split("/");
  if (type.startsWith("audio/ogg")) return "voice";
  return ["image", "video", "audio"].includes(family) ? family : "document";
}
