// Who answers here: by the session of a person who has signed in, or by a key of the local run,
// which its links have.

import { baton, useKey } from "./api.js";
import { find, setText } from "./dom.js";
import { changed, state } from "./state.js";
import { inWords } from "./words.js";

const KEY = "baton-desk-key";
const NAME = "baton-desk-name"; // a key of a system may speak for anybody
const SIGN_IN = "../sign_in/?next=desk";

/** Returns whether a person may answer. Who has not signed in is sent to do so. */
export async function startSession() {
  const key = takeKey();
  useKey(key);
  find("sign-out").addEventListener("click", signOut);
  try {
    return welcome(await baton.me());
  } catch (error) {
    if (error.status === 401 && !key) location.replace(SIGN_IN + location.hash);
    else refuse(error.status === 401 ? "This key was not accepted." : inWords(error));
    return false;
  }
}

function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1));
  // A link must not sign anybody in under a key that is not theirs. Keys of the local run are known
  // to everybody, and are accepted on one machine only.
  if (given.get("key")?.startsWith("dev-"))
    for (const [name, kept] of [["key", KEY], ["name", NAME]])
      if (given.has(name)) sessionStorage.setItem(kept, given.get(name));
  if (given.has("key")) {
    given.delete("key");
    given.delete("name");
    // a key must not stay in the address bar
    history.replaceState(null, "", `#${given}`);
  }
  return sessionStorage.getItem(KEY);
}

function welcome(caller) {
  if (!caller.may.includes("HUMAN")) return refuse("You may not answer customers.");
  const name = sessionStorage.getItem(NAME) ?? caller.name;
  state.me = caller.kind === "person" ? caller : { ...caller, id: name, name };
  find("desk").hidden = false;
  find("tools").hidden = false;
  changed();
  return true;
}

function refuse(words) {
  sessionStorage.removeItem(KEY);
  setText(find("refused"), words);
  find("entrance").hidden = false;
  return false;
}

async function signOut() {
  sessionStorage.removeItem(KEY);
  await baton.endSession().catch(() => {}); // there is none with a key
  location.assign(SIGN_IN);
}
