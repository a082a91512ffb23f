// Tells people of what happens while they look elsewhere: in the title, by a sound, and by the
// browser's notifications, which are asked for only when a person wants them.

import { find, setText } from "./dom.js";
import { idOf, isMine, state } from "./state.js";
import { unread, unreadOfMine } from "./tails.js";
import { customerName } from "./words.js";

const WANTED = "baton-desk-alerts";
const TITLE = "Baton desk";

let known = null; // who waited and what was unread when it was last looked at
let audio = null;

export function startAlerts() {
  find("alerts").addEventListener("click", turn);
  drawButton();
}

const isWanted = () => localStorage.getItem(WANTED) === "on";

async function turn() {
  const on = !isWanted();
  localStorage.setItem(WANTED, on ? "on" : "off");
  drawButton();
  if (!on) return;
  sound(); // also lets the browser know that sounds are wanted
  if (window.Notification?.permission === "default") await Notification.requestPermission();
  drawButton();
}

function drawButton() {
  const button = find("alerts");
  const on = isWanted();
  const denied = window.Notification?.permission === "denied";
  button.setAttribute("aria-pressed", String(on));
  setText(button, on ? (denied ? "Sound on" : "Alerts on") : "Alerts off");
}

export function drawAlerts() {
  const count = unreadOfMine() + (state.offers?.length ?? 0);
  document.title = count ? `(${count}) ${TITLE}` : TITLE;
  const now = seenNow();
  const news = known === null ? [] : [...now].filter(([key]) => !known.has(key));
  known = now;
  if (news.length && isWanted()) alert(news.map(([, words]) => words));
}

/** What is worth an alert, by a key that stays while it is the same. */
function seenNow() {
  const now = new Map();
  for (const one of state.offers ?? [])
    now.set(`offer ${one.offer.id}`, `${customerName(one)} is offered to you`);
  for (const one of state.lists.QUEUED)
    now.set(`waits ${one.name} ${one.waitingSince}`, `${customerName(one)} waits for a person`);
  for (const one of state.lists.HUMAN.filter(isMine)) {
    const id = idOf(one);
    const isRead = id === state.open && !document.hidden;
    if (!isRead && unread(id)) now.set(`${id} ${unread(id)}`, `${customerName(one)} has written`);
  }
  return now;
}

function alert(words) {
  sound();
  if (!document.hidden || window.Notification?.permission !== "granted") return;
  const told = words.length > 1 ? `${words[0]}, and ${words.length - 1} more` : words[0];
  const notification = new Notification(TITLE, { body: told, tag: "baton-desk" });
  notification.addEventListener("click", () => {
    focus();
    notification.close();
  });
}

/** Two short tones. A browser plays none before a person has used the page. */
function sound() {
  audio ??= new AudioContext();
  [660, 880].forEach((frequency, index) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const begin = audio.currentTime + index * 0.14;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.12, begin);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.13);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.14);
  });
}
