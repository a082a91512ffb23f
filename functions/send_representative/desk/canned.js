// Answers that the operator has written, to be chosen in the customer's language and changed before
// they are sent.

import { baton } from "./api.js";
import { insert } from "./composer.js";
import { find, make, show, tell } from "./dom.js";
import { state } from "./state.js";
import { inWords, language } from "./words.js";

let answers = null;

export async function startCanned() {
  find("canned-open").addEventListener("click", () => (isOpen() ? close() : open()));
  find("canned-filter").addEventListener("input", draw);
  find("canned").addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && event.target === find("canned-filter")) {
      event.preventDefault(); // it must not send the reply
      find("canned-list").querySelector("button")?.click();
    }
  });
  try {
    ({ answers } = await baton.canned());
  } catch (error) {
    tell(find("notice"), inWords(error), "bad");
  }
  find("canned-open").hidden = !answers?.length;
}

const isOpen = () => !find("canned").hidden;

function open() {
  turn(true);
  find("canned-filter").value = "";
  draw();
  find("canned-filter").focus();
}

function close() {
  turn(false);
  find("canned-open").focus();
}

function turn(on) {
  find("canned").hidden = !on;
  find("canned-open").setAttribute("aria-expanded", String(on));
}

function draw() {
  const wanted = find("canned-filter").value.toLocaleLowerCase();
  const fits = ({ title, text }) => `${title} ${text}`.toLocaleLowerCase().includes(wanted);
  const items = inOrder(answers.filter(fits));
  if (!items.length) items.push({ title: "", none: "No answer has these words." });
  show(find("canned-list"), items, (one) => `${one.language} ${one.title}`, drawAnswer);
}

/** Those in the customer's language come first. */
function inOrder(given) {
  const theirs = (state.conversation?.locale ?? "").toLowerCase().split(/[-_]/)[0];
  const first = given.filter((one) => one.language === theirs);
  return [...first, ...given.filter((one) => one.language !== theirs)];
}

function drawAnswer(one) {
  if (one.none) return make("li", { class: "empty" }, one.none);
  const button = make(
    "button",
    { type: "button", class: "row-button" },
    make(
      "span",
      { class: "title" },
      make("bdi", { class: "name" }, one.title),
      make("span", { class: "tags" }, language(one.language)),
    ),
    make("span", { class: "words", dir: "auto", lang: one.language }, one.text),
  );
  button.addEventListener("click", () => {
    turn(false);
    insert(filled(one.text));
  });
  return make("li", {}, button);
}

/** A placeholder whose value is not known is left out, with the space before it. */
function filled(text) {
  const known = {
    customer: state.conversation.customerName,
    agent: state.me.name,
    desk: state.conversation.desk,
  };
  return text.replace(/( ?)\{(customer|agent|desk)\}/g, (_, space, name) =>
    known[name] ? space + known[name] : "",
  );
}
