// The CRM's record: the comments that Baton posted, each once, with the number of deliveries.

import { find, make, setText, show } from "/send_representative/desk/dom.js";
import { clock } from "./words.js";

const EMPTY = "No comment yet. What a bot captures for the CRM record is posted here, signed.";

export function renderComments(conversation, comments) {
  setText(find("record-where"), conversation ?? "");
  setText(find("comment-count"), comments.length ? String(comments.length) : "");
  const told = comments.length ? comments.toReversed() : [{ webhook_id: "empty", empty: EMPTY }];
  show(
    find("comments"),
    told,
    (one) => one.webhook_id,
    (one) => (one.empty ? make("li", { class: "empty" }, one.empty) : drawn(one)),
  );
}

function drawn({ at, comment, times, webhook_id: id }) {
  const head = make(
    "p",
    { class: "entry-head" },
    make("time", { datetime: at }, clock(at)),
    make("span", { class: "badge done" }, "signed"),
    times > 1 ? make("span", { class: "badge" }, `posted ${times} times, kept once`) : null,
  );
  return make(
    "li",
    {},
    head,
    make("p", { class: "comment", dir: "auto" }, comment),
    make("p", { class: "because" }, `webhook-id ${id}`),
  );
}
