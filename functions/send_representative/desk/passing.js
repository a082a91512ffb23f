// Passing a customer on: to a colleague, who is offered them, or into a queue. And taking over,
// which supervisors may.

import { act } from "./acts.js";
import { baton } from "./api.js";
import { beginReply } from "./composer.js";
import { opened } from "./dialogs.js";
import { find, make, onPress, setText, tell } from "./dom.js";
import { isMine, isSupervisor, state } from "./state.js";
import { inWords, names, until } from "./words.js";

export function startPassing() {
  onPress(find("transfer"), transfer);
  onPress(find("take-over"), takeOver);
  onPress(find("decline"), decline);
  onPress(find("withdraw"), withdraw);
}

/** The names of who is there, as Baton writes them in its refusals. */
const holder = () => names(state.conversation.representatives) || undefined;

async function transfer() {
  let known;
  try {
    known = await baton.people();
  } catch (error) {
    tell(find("notice"), inWords(error), "bad");
    return;
  }
  find("pass-on-to").replaceChildren(...choicesOf(known));
  find("pass-on-reason").value = "";
  find("pass-on-note").value = "";
  if (!(await opened(find("pass-on")))) return;
  const note = find("pass-on-note").value.trim();
  const body = {
    to: JSON.parse(find("pass-on-to").value),
    reason: find("pass-on-reason").value.trim(),
    ...(note && { note }),
    ...(!isMine(state.conversation) && { from: holder() }),
  };
  await act("transfer", body, (now) =>
    now.offer
      ? `Offered to ${now.offer.name}. You stay with the customer until they accept.`
      : "Passed on. The customer keeps their place near the front of the queue.",
  );
}

function choicesOf({ people, desks }) {
  const option = (to, words) => make("option", { value: JSON.stringify(to) }, words);
  const colleagues = people
    .filter((one) => one.id !== state.me.id)
    .map((one) => ({ ...one, may: one.available && one.room !== 0 }))
    .sort((one, other) => other.may - one.may || one.name.localeCompare(other.name))
    .map((one) => option({ agent: one.id }, `${one.name}, ${howIs(one)}`));
  return [
    option({ queue: true }, "The queue: whoever is free"),
    ...desks.map((name) => option({ desk: name }, `The desk ${name}`)),
    ...colleagues,
  ];
}

function howIs({ available, room }) {
  if (!available) return "not available";
  return room === 0 ? "has no room" : "available";
}

async function takeOver() {
  const words = () => "You have taken over; the customer sees it.";
  if (await act("takeOver", { from: holder() }, words)) beginReply();
}

const decline = () =>
  act("decline", { offer: state.conversation.offer.id }, () => "You have declined.");

const withdraw = () =>
  act("withdraw", { offer: state.conversation.offer.id }, () => "The offer is withdrawn.");

export const isOfferedToMe = ({ offer }) => Boolean(offer) && offer.to === state.me.id;

export function drawPassing() {
  const { conversation } = state;
  if (!conversation) return;
  const { offer, phase, tracked } = conversation;
  const isPerson = state.me.kind === "person";
  const mine = isMine(conversation);
  const theirs = phase === "HUMAN" && !mine && !tracked;
  find("transfer").hidden = tracked || !(mine || (isSupervisor() && phase !== "BOT"));
  find("take-over").hidden = !(theirs && isPerson && isSupervisor());
  find("decline").hidden = !isOfferedToMe(conversation);
  find("offer").hidden = !offer;
  if (!offer) return;
  find("withdraw").hidden = isOfferedToMe(conversation) || !(mine || isSupervisor());
  setText(find("offer-words"), offerInWords(offer, conversation));
}

function offerInWords(offer, conversation) {
  const whom = isOfferedToMe(conversation) ? "you" : offer.name;
  const note = [offer.reason, offer.note].filter(Boolean).join(". ");
  return `Offered to ${whom} for ${until(offer.until)}${note ? `: ${note}` : ""}`;
}
