// Who answers here: signing in, and out.

import { baton, useKey } from "./api.js";
import { find, tell } from "./dom.js";
import { changed, state } from "./state.js";
import { inWords } from "./words.js";

const KEY = "baton-desk-key"; // for this tab only
const NAME = "baton-desk-name";

/** Signs in as the address or this tab says, or shows the form. `begin` is called once. */
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
  find("sign-in").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await signIn(find("key").value.trim(), find("name").value.trim())) begin();
  });
  find("sign-out").addEventListener("click", signOut);
  if (key && (await signIn(key, name))) begin();
  else if (find("sign-in").hidden) showForm();
}

/**
 * Returns whether a person may answer now. A key of a system may speak for anybody, so the name is
 * asked for; a person has their own.
 */
async function signIn(key, name) {
  useKey(key);
  tell(find("sign-in-notice"), "");
  let caller;
  try {
    caller = await baton.me();
  } catch (error) {
    const words = error.status === 401 ? "This key was not accepted." : inWords(error);
    return refused(words);
  }
  if (!caller.may.includes("HUMAN")) return refused("This key may not answer customers.");
  const isPerson = caller.kind === "person";
  if (!isPerson && !name) return askForName();
  sessionStorage.setItem(KEY, key);
  if (!isPerson) sessionStorage.setItem(NAME, name);
  state.me = isPerson ? caller : { ...caller, id: name, name };
  find("sign-in").hidden = true;
  find("desk").hidden = false;
  find("tools").hidden = false;
  changed();
  return true;
}

function refused(words) {
  if (find("sign-in").hidden) showForm();
  tell(find("sign-in-notice"), words, "bad");
  return false;
}

function askForName() {
  if (find("sign-in").hidden) showForm();
  find("name-part").hidden = false;
  find("name").required = true;
  find("name").focus();
  return false;
}

function showForm() {
  find("sign-in").hidden = false;
  find("name").value = sessionStorage.getItem(NAME) ?? "";
  find("key").focus();
}

function signOut() {
  sessionStorage.removeItem(KEY);
  location.reload();
}
