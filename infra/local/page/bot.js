// The bot's pane: which bot runs, its questions to Dialogflow about the chosen conversation, and
// the answers.

import { drawAnswer, drawCaptured } from "./answers.js";
import { find, make, setText, show } from "/send_representative/desk/dom.js";
import { model } from "./model.js";
import { clock } from "./words.js";

const LONGEST_LIST = 100;
const BOTS = {
  none: ["No built-in bot", "No bot answers by itself. Your own bot calls the REST API."],
  acknowledge: [
    "The bot acknowledges",
    "It answers each message alike: that it passes it on. " +
      "It does not ask Dialogflow what was meant.",
  ],
  dialogflow: [
    "Dialogflow CX",
    "Each message of the customer is one detectIntent of the simulated Dialogflow.",
  ],
};
const FAULTS = {
  slow: "slow",
  too_many: "429, not taken",
  server_error: "500, not taken",
  drop_before: "dropped, not taken",
  drop_after: "taken, the answer was lost",
  garbled: "taken, the answer was rubbish",
  twice: "each message given twice",
};

export function renderBot() {
  const { bot, session, turns } = model.bot ?? { turns: [] };
  const [name, does] = BOTS[bot] ?? [bot ?? "…", ""];
  setText(find("bot-runs"), name);
  setText(find("bot-does"), does);
  find("bot-start").hidden = !bot || bot === "dialogflow";
  find("bot-session").hidden = bot !== "dialogflow" && !turns.length;
  setText(find("bot-session-id"), session ?? "");
  const counted = turns.length ? String(turns.length) : "";
  for (const count of document.querySelectorAll(".turn-count")) setText(count, counted);
  show(
    find("turns"),
    listed(bot, turns),
    (one) => one.seq,
    (one) => (one.hint ? drawHint(one.hint) : drawTurn(one)),
  );
}

function listed(bot, turns) {
  if (turns.length) return turns.slice(-LONGEST_LIST).reverse();
  if (bot !== "dialogflow")
    return [{ seq: "hint", hint: ["No call to Dialogflow in this conversation."] }];
  return [
    {
      seq: "hint",
      hint: [
        "No call yet. Write as the customer, for example:",
        "“Where is my order?”, then “A17”",
        "“What are my options?”",
        "“I want to speak to a person”",
      ],
    },
  ];
}

const drawHint = (lines) =>
  make("li", { class: "empty" }, ...lines.map((line) => make("p", {}, line)));

function drawTurn({ at, query, parameters, responseMessages, captured, fault }) {
  const head = make(
    "p",
    { class: "entry-head" },
    make("time", { datetime: at }, clock(at)),
    make("b", {}, "detectIntent"),
    make("span", { class: "badge" }, query.languageCode),
    fault
      ? make(
          "span",
          { class: `badge ${fault === "slow" ? "pending" : "failed"}` },
          FAULTS[fault] ?? fault,
        )
      : null,
  );
  const asked = make("p", { class: "quote", dir: "auto" }, query.text);
  const answers = make(
    "ul",
    { class: "commands", "aria-label": "What it answered" },
    ...responseMessages.map(drawAnswer),
  );
  return make(
    "li",
    {},
    head,
    asked,
    passed(parameters),
    responseMessages.length ? answers : null,
    drawCaptured(captured),
  );
}

function passed(parameters) {
  const count = Object.keys(parameters).length;
  if (!count) return null;
  const told = make("pre", { dir: "auto", tabindex: 0 }, JSON.stringify(parameters, null, 2));
  return make(
    "details",
    {},
    make(
      "summary",
      {},
      `${count} ${count === 1 ? "parameter" : "parameters"} passed: ` +
        Object.keys(parameters).join(", "),
    ),
    told,
  );
}
