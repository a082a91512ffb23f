// Sign in with Google, where the operator has set it up. Its script is Google's own, and is loaded
// only then. https://developers.google.com/identity/gsi/web/reference/js-reference

import { baton } from "./api.js";
import { find, make } from "./dom.js";

const SCRIPT = "https://accounts.google.com/gsi/client";

/** Shows Google's button. `take` gets the credential of the person who used it. */
export async function startGoogle(take) {
  const { googleClientId } = await baton.signIn().catch(() => ({}));
  if (!googleClientId) return;
  const script = make("script", { src: SCRIPT, async: true });
  script.addEventListener("load", () => {
    const { id } = window.google.accounts;
    id.initialize({ client_id: googleClientId, callback: ({ credential }) => take(credential) });
    id.renderButton(find("google"), { theme: "outline", size: "large" });
    find("google").hidden = false;
  });
  document.head.append(script);
}
