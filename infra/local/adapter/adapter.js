// A simulated agent adapter: posts to the page around it what the real one posts of a virtual
// agent. https://docs.cloud.google.com/contact-center/ccai-platform/docs/post-events-for-vtas

const SESSION = {
  chat_id: 103646,
  virtual_agent_id: 1,
  virtual_agent_name: "Parcel assistant",
  participant_id: 1,
  queue_id: 8469,
  queue_path: "Developers / James",
  session_type: "Messaging Inbound (SMS)",
  conversation_id: "12345",
  timestamp: "{seconds}",
  data_parameters: { param1: "one", param2: "two" },
};
const captured = (variables) => ({
  intent_name: null,
  variables,
  captured_at: "{time}",
  timestamp: "{seconds}",
});
const SAMPLES = {
  Task_VA_Joined: SESSION,
  Task_VA_Variables_Received: {
    ...SESSION,
    captured_variables: [
      captured({ testkey_1: "testvalue" }),
      captured({ testkey_2: "testvalue2" }),
    ],
  },
  Task_VA_Left: {
    ...SESSION,
    finish_reason: "Task VA failed",
    captured_variables: [captured({ testkey: "testvalue" })],
  },
};

const find = (id) => document.getElementById(id);
const texts = new Map(
  Object.entries(SAMPLES).map(([type, data]) => [type, JSON.stringify(data, null, 2)]),
);
const parent = document.referrer ? new URL(document.referrer).origin : null;
let chosen = null;

function choose(type) {
  chosen = type;
  find("type").textContent = type;
  find("json").value = texts.get(type);
  for (const edit of document.querySelectorAll(".edit"))
    edit.setAttribute("aria-pressed", String(edit.value === type));
}

/**
 * Returns the posted event. `{seconds}` and `{time}` stand for the present time, in the platform's
 * formats.
 */
function data(type) {
  const at = new Date().toISOString();
  const time = `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
  const seconds = String(Math.floor(Date.parse(at) / 1000));
  return JSON.parse(texts.get(type).replaceAll("{seconds}", seconds).replaceAll("{time}", time));
}

function post(type) {
  choose(type);
  try {
    window.parent.postMessage({ type, data: data(type) }, parent);
    say(`Posted ${type} to ${parent}.`);
  } catch (error) {
    const why = error instanceof SyntaxError ? "This is not JSON" : "No page is around this one";
    say(`${why}; nothing was posted.`, "bad");
  }
}

function say(words, tone = "plain") {
  find("notice").dataset.tone = tone;
  find("notice").textContent = words;
}

function button(type, name, label, act) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: name, value: type, textContent: label });
  made.addEventListener("click", () => act(type));
  return made;
}

for (const type of texts.keys()) {
  const row = document.createElement("li");
  const edit = button(type, "edit", "Edit", choose);
  edit.setAttribute("aria-label", `Edit ${type}`);
  row.append(button(type, "post", `Post ${type}`, post), edit);
  find("events").append(row);
}
find("json").addEventListener("input", () => texts.set(chosen, find("json").value));
choose("Task_VA_Variables_Received");
