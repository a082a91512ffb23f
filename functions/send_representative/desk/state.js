// What the page knows, and those who draw it.

export const state = {
  me: null, // who answers: {id, name, role}
  lists: { QUEUED: [], HUMAN: [], BOT: [] },
  open: null, // the id of the conversation that is shown
  conversation: null, // that conversation, null until Baton has answered
  gone: false, // Baton does not know it any more
  book: null, // its journal as far as it was read
  devices: new Map(), // by a conversation's name, what the customer's device tells
  tails: new Map(), // by conversation, its latest words, see tails.js
  trouble: null,
};

const drawings = [];

/** Calls `draw` after every change. */
export const onChange = (draw) => drawings.push(draw);

export function changed() {
  for (const draw of drawings) draw();
}

export const idOf = (conversation) => conversation.name.slice("conversations/".length);

export const isMine = (conversation) =>
  conversation.representatives.some((one) => one.displayName === state.me?.name);

export const isSupervisor = () => Boolean(state.me?.supervisor || state.me?.admin);

export const myself = () => ({ representativeType: "HUMAN", displayName: state.me.name });
