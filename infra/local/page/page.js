// The page of a local run: a person plays customer, bot and human, and sees Baton's state.

import { renderBot } from "./bot.js";
import { renderChannels, startChannels } from "./channels.js";
import { renderChat, startChat } from "./chat.js";
import { startCrm } from "./crm.js";
import { clearNotices, startAgent } from "./agent.js";
import { renderDesk, startDesk } from "./desk.js";
import { find, setText } from "/send_representative/desk/dom.js";
import { renderFaults, startFaults } from "./faults.js";
import { renderKnowledge } from "./knows.js";
import { keepUp, model, select } from "./model.js";
import { renderPhone, startPhone } from "./phone.js";
import { startSpeaking } from "./speak.js";

const SIDES = ["knows", "robot", "chat"]; // a wide screen has room for one of them
const BOXES = ["say-text", "bot-text", "chat-text", "csku-text"];
const DRAFTS = "baton-drafts"; // of this tab: they outlive a reload
const drafts = new Map(JSON.parse(sessionStorage.getItem(DRAFTS) ?? "[]"));

let renderedFor = null;

function render() {
  if (model.selected !== renderedFor) changeConversation();
  find("banner").hidden = !model.trouble;
  setText(find("banner"), model.trouble ?? "");
  renderPhone();
  renderChannels();
  renderDesk();
  renderKnowledge();
  renderBot();
  renderChat();
  renderFaults();
}

/** Keeps an unsent text with the customer for whom it was written. */
function changeConversation() {
  if (renderedFor) keepDrafts();
  const kept = drafts.get(model.selected) ?? [];
  BOXES.forEach((id, index) => (find(id).value = kept[index] ?? ""));
  renderedFor = model.selected;
  clearNotices();
}

function keepDrafts() {
  drafts.set(
    renderedFor,
    BOXES.map((id) => find(id).value),
  );
  sessionStorage.setItem(DRAFTS, JSON.stringify([...drafts]));
}

function startPanes() {
  const tabs = [...document.querySelectorAll("[data-shows]")];
  const turnTo = (pane) => {
    const { dataset } = document.body;
    dataset.pane = pane;
    if (SIDES.includes(pane)) dataset.side = pane;
    for (const tab of tabs)
      tab.setAttribute(
        "aria-pressed",
        String(tab.dataset.shows === (tab.closest(".views") ? dataset.side : pane)),
      );
  };
  for (const tab of tabs) tab.addEventListener("click", () => turnTo(tab.dataset.shows));
  turnTo(document.body.dataset.pane);
}

function followAddress() {
  const conversation = new URLSearchParams(location.hash.slice(1)).get("conversation");
  if (conversation) select(conversation);
}

window.addEventListener("pagehide", keepDrafts);
startPanes();
startPhone();
startChannels();
startAgent(render);
startDesk();
startSpeaking();
startChat();
startFaults();
startCrm();
window.addEventListener("hashchange", followAddress);
followAddress();
keepUp(render);
