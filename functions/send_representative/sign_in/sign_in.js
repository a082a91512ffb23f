// Signs a person in and goes on to the page that sent them here: `?next=desk` or `?next=reports`.

const SESSION = "../v1/session";
const GOOGLE = "https://accounts.google.com/gsi/client";
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const PAGES = ["desk", "reports"];
const TIMEOUT = 30_000;
const find = (id) => document.getElementById(id);

/** Returns the answer to a request. Throws an Error with words for a person. */
async function ask(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: body ? "POST" : "GET",
      headers: { "baton-page": "1", ...(body && { "content-type": "application/json" }) },
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT),
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error("Baton does not answer. Try again.");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const refused = "This was not accepted. Check the key, or ask who has set Baton up.";
  throw new Error(response.status === 401 ? refused : (answer.error?.message ?? "Try again."));
}

/** Signs in by a key or by what Google gave, and goes on. */
async function signIn(proof) {
  setBusy(true);
  tell("");
  try {
    goOn(await ask(SESSION, proof));
  } catch (error) {
    tell(error.message);
    setBusy(false);
  }
}

function goOn(person) {
  const asked = new URLSearchParams(location.search).get("next");
  const usual = person.reports ? "reports" : "desk";
  location.replace(`../${PAGES.includes(asked) ? asked : usual}/${location.hash}`);
}

function setBusy(isBusy) {
  for (const button of document.querySelectorAll("button")) button.disabled = isBusy;
}

function tell(words) {
  find("notice").hidden = words === "";
  find("notice").textContent = words;
}

/** Shows Google's button. Its script is loaded only where people sign in with Google. */
function offerGoogle(clientId) {
  const script = document.createElement("script");
  script.src = GOOGLE;
  script.addEventListener("error", () => tell("Google does not answer. Sign in with a key."));
  script.addEventListener("load", () => {
    const { id } = globalThis.google.accounts;
    id.initialize({ client_id: clientId, callback: ({ credential }) => signIn({ credential }) });
    find("google").hidden = false;
    id.renderButton(find("google"), { type: "standard", size: "large", text: "signin_with" });
  });
  document.head.append(script);
}

/** Shows the people of a local run, whose keys everybody knows. */
async function offerPeople() {
  const { people } = await ask("/local/people");
  const buttons = people.map(({ name, role, key }) => {
    const [row, button] = ["li", "button"].map((tag) => document.createElement(tag));
    button.textContent = `${name} (${role})`;
    button.addEventListener("click", () => signIn({ key }));
    row.append(button);
    return row;
  });
  find("people").replaceChildren(...buttons);
  find("local").hidden = people.length === 0;
}

find("with-key").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn({ key: find("key").value.trim() });
});
try {
  const { googleClientId } = await ask(SESSION);
  if (googleClientId) offerGoogle(googleClientId);
  if (LOOPBACK.includes(location.hostname)) await offerPeople().catch(() => {});
} catch (error) {
  tell(error.message);
}
