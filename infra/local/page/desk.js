// The agent's desk: its own page, in a frame. The conversation that is chosen here is opened there,
// and the other way round.

import { people } from "./api.js";
import { acting, model, select } from "./model.js";
import { find, make, setText } from "/send_representative/desk/dom.js";

const PAGE = "/send_representative/desk/";
const PERSON = "baton-desk-person";
// where the settings have no people, a key of a system speaks for one
const NO_PERSON = { name: "Jane Doe", key: "dev-agent" };
const LONGEST_LIST = 100;

let shown = null; // the conversation that is open at the desk
let wasGone = false; // Baton has not known it
let wasAway = false; // the server did not answer

export async function startDesk() {
  const known = await people().catch(() => []);
  const choices = known.length ? known : [NO_PERSON];
  const chooser = find("desk-person");
  chooser.append(
    ...choices.map(({ name, role, key }) =>
      make("option", { value: key }, role ? `${name} (${role})` : name),
    ),
  );
  const last = localStorage.getItem(PERSON);
  if (choices.some((one) => one.key === last)) chooser.value = last;
  chooser.addEventListener("change", () => {
    localStorage.setItem(PERSON, chooser.value);
    signIn(choices);
  });
  find("desk-frame").addEventListener("load", watchFrame);
  signIn(choices);
}

/** Opens the desk page as the person who is chosen. */
function signIn(choices) {
  const { name, key } = choices.find((one) => one.key === find("desk-person").value);
  const given = new URLSearchParams({ key, name, ...(shown && { conversation: shown }) });
  find("desk-alone").href = `${PAGE}#${new URLSearchParams({ key, name })}`;
  // the question mark makes the frame load the page anew, also where only the person is another
  find("desk-frame").src = `${PAGE}?${new URLSearchParams({ person: name })}#${given}`;
}

const frame = () => find("desk-frame").contentWindow;
// while the server is away, the browser may show a page of its own there
const isReadable = () => Boolean(find("desk-frame").contentDocument);
const openThere = () =>
  new URLSearchParams(frame().location.hash.slice(1)).get("conversation");

function watchFrame() {
  if (!isReadable()) return;
  if (shown) openAtDesk(shown);
  frame().addEventListener("hashchange", () => {
    const id = openThere();
    if (!id || id === shown) return;
    shown = id;
    select(id);
  });
}

function openAtDesk(id) {
  shown = id;
  if (openThere() === id) return;
  const here = new URL(frame().location.href); // a bare "#…" would be one of the page around it
  here.hash = new URLSearchParams({ conversation: id });
  frame().location.replace(here);
}

/** Opens at the desk what was chosen here, once Baton knows it. */
export function renderDesk() {
  const waiting = model.lists.QUEUED.length;
  const count = waiting >= LONGEST_LIST ? `${waiting}+` : String(waiting);
  setText(find("desk-count"), waiting ? ` ${count}` : "");
  if (model.gone) wasGone = true;
  const isBack = wasAway && !model.trouble;
  wasAway = Boolean(model.trouble);
  if (isBack && !isReadable()) loadAgain();
  if (!model.conversation || !isReadable()) return;
  if (![model.selected, acting()].includes(shown)) openAtDesk(acting());
  else if (wasGone) frame().dispatchEvent(new Event("online")); // the desk looks again
  wasGone = false;
}

function loadAgain() {
  const page = find("desk-frame");
  page.src = new URL(page.src); // it loads also where the address is the same
}
