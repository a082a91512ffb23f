// Who answers here: signing in, and out.

import { baton, useKey } from "./api.js";
import { find, tell } from "./dom.js";
import { changed, state } from "./state.js";
import { inWords } from "./words.js";

const KEY = "baton-desk-key"; // for this tab only
const NAME = "baton-desk-name";

/** Signs in as the address, this tab or the session says, or shows the form. */
export async function startSession(begin) {
  const given = new URLSearchParams(location.hash.slice(1));
  const key = given.get("key") ?? sessionStorage.getItem(KEY);
  const name = given.get("name") ?? sessionStorage.getItem(NAME);
  // a key must not stay in the address bar
  if (given.has("key")) {
    given.delete("key");
    given.delete("name");
    history.replaceState(null, "", `#${given}`);
  }
  const entered = async (how) => (await how()) && begin();
  find("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    entered(() => signIn(find("key").value.trim(), find("name").value.trim()));
  });
  find("sign-out").addEventListener("click", signOut);
  if (key ? await asKey(key, name) : await asSession()) return begin();
  showForm();
}

/** A person gets a session. A system's key may speak for anybody, so the name is asked for. */
async function signIn(key, name) {
  if (find("name-part").hidden && (await withSession({ key }, () => asKey(key, name)))) return true;
  return find("name-part").hidden ? false : asKey(key, name);
}

async function withSession(given, otherwise = null) {
  useKey(null);
  try {
    return welcome(await baton.beginSession(given));
  } catch (error) {
    if (otherwise && ["people-only", "door-closed"].includes(error.reason)) return otherwise();
    return refused(error.status === 401 ? "This key was not accepted." : inWords(error));
  }
}

async function asSession() {
  try {
    return welcome(await baton.me());
  } catch (error) {
    return error.status === 401 ? false : refused(inWords(error));
  }
}

/** Signs in with a key for this tab. */
async function asKey(key, name) {
  useKey(key);
  let caller;
  try {
    caller = await baton.me();
  } catch (error) {
    return refused(error.status === 401 ? "This key was not accepted." : inWords(error));
  }
  const isPerson = caller.kind === "person";
  if (!isPerson && !name && caller.may.includes("HUMAN")) return askForName();
  sessionStorage.setItem(KEY, key);
  if (!isPerson) sessionStorage.setItem(NAME, name);
  return welcome(isPerson ? caller : { ...caller, id: name, name });
}

function welcome(caller) {
  if (!caller.may.includes("HUMAN")) return refused("You may not answer customers.");
  state.me = caller;
  find("sign-in").hidden = true;
  find("desk").hidden = false;
  find("tools").hidden = false;
  changed();
  return true;
}

function refused(words) {
  showForm();
  tell(find("sign-in-notice"), words, "bad");
  return false;
}

function askForName() {
  showForm();
  tell(find("sign-in-notice"), "");
  find("name-part").hidden = false;
  find("name").required = true;
  find("name").focus();
  return false;
}

function showForm() {
  if (!find("sign-in").hidden) return;
  find("elsewhere").href = `../sign_in/?next=desk${location.hash}`;
  find("sign-in").hidden = false;
  find("name").value = sessionStorage.getItem(NAME) ?? "";
  find("key").focus();
}

async function signOut() {
  sessionStorage.removeItem(KEY);
  await baton.endSession().catch(() => {}); // there is none with a key
  location.reload();
}
