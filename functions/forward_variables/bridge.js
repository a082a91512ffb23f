// Baton's bridge: hears what the agent adapter (an iframe) posts of a virtual agent, and forwards
// it to Baton. Works as <script src> and as import(); both set the global BatonBridge. Its options
// are described in bridge.d.ts.
//
// The queue is localStorage, one key per event. A write there is done when it returns, so an event
// survives a tab that is closed in the next moment; IndexedDB would still be writing. One key per
// event means that no tab rewrites what another has queued. All tabs share the queue: a Web Lock
// lets one of them send at a time, and the next one finds what is left. Where an event does go out
// twice (no Web Locks, a page that is closing, an answer that got lost), it has the same id, and
// Baton counts it once. Values are never put into errors or the console.
"use strict";

(() => {
  const TYPES = ["Task_VA_Joined", "Task_VA_Left", "Task_VA_Variables_Received"];
  const BATCH_EVENTS = 50;
  // a closing page may have 64 KiB in flight, and Baton accepts no larger body
  const BATCH_BYTES = 60_000;
  const KEPT_MS = 24 * 3600 * 1000; // personal data does not stay in a browser without end
  const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS, OTHERS_TURN_MS, TIMEOUT_MS] = [
    1000, 60_000, 5000, 20_000,
  ];
  const ID_LENGTH = 32;

  const bytes = (json) => new TextEncoder().encode(json).length;
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const hex = (byte) => byte.toString(16).padStart(2, "0");
  const newId = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(ID_LENGTH / 2)), hex).join("");
  const inTurn = (act) => (navigator.locks ? navigator.locks.request("baton-bridge", act) : act());
  const bodyOf = (batch) => `{"events":[${batch.map(({ json }) => json).join(",")}]}`;

  /**
   * Calls a callback of the page later, so that an error in it reaches the page and stops nothing
   * here.
   */
  const tell = (callback, what) => callback && queueMicrotask(() => callback(what));

  function orNull(act) {
    try {
      return act();
    } catch {
      return null;
    }
  }

  /**
   * Returns the argument of onError: a stable `reason`, the ids of the events, and whether the
   * bridge tries again.
   */
  const problem = (reason, message, ids = [], retrying = false) =>
    Object.assign(new Error(message), { name: "BatonBridgeError", reason, ids, retrying });

  /**
   * Returns the problem with one event, from Baton's answer. An older Baton gives only the reason.
   */
  const faulty = (reason, what, { reason: slug, field, message }) =>
    Object.assign(problem(reason, `${what}: ${message ?? `${slug}.`}`), { detail: slug, field });

  /** The queued events, each with its `key`, which gives the order, `id` and `json`. */
  class Queue {
    #unstored = new Map();
    #count = 0;

    constructor(endpoint) {
      this.prefix = `baton-bridge ${endpoint} `;
    }

    /** Returns whether the event is stored durably: storage may be full or forbidden. */
    add(id, json) {
      const count = String((this.#count += 1)).padStart(6, "0");
      const key = `${this.prefix}${Date.now()}-${count}-${id}`;
      const stored = orNull(() => localStorage.setItem(key, json)) !== null;
      if (!stored) this.#unstored.set(key, json);
      return stored;
    }

    remove({ key }) {
      if (!this.#unstored.delete(key)) localStorage.removeItem(key);
    }

    /** Returns all events, oldest first. */
    all() {
      const waiting = [...this.#stored(), ...this.#unstored].sort(([one], [other]) =>
        one < other ? -1 : 1,
      );
      return waiting.map(([key, json]) => ({ key, json, id: key.slice(-ID_LENGTH) }));
    }

    /** Returns the oldest events that fit into one request. */
    batch(size) {
      let room = BATCH_BYTES;
      return this.all()
        .slice(0, size)
        .filter(({ json }) => (room -= bytes(json) + 1) >= 0);
    }

    tooOld() {
      const queuedAt = ({ key }) => Number.parseInt(key.slice(this.prefix.length), 10);
      return this.all().filter((one) => queuedAt(one) < Date.now() - KEPT_MS);
    }

    #stored() {
      const keys =
        orNull(() => Object.keys(localStorage).filter((key) => key.startsWith(this.prefix))) ?? [];
      return keys
        .map((key) => [key, localStorage.getItem(key)])
        .filter(([, json]) => json !== null);
    }
  }

  /** Posts with a token. The token is kept until Baton refuses it. */
  class Courier {
    #token = null;

    constructor({ endpoint, getToken }) {
      Object.assign(this, { endpoint, getToken });
    }

    /**
     * Returns Baton's answer. Where Baton refuses the token, it tries once more with a fresh one.
     * Throws a problem.
     */
    async post(body) {
      let response = await this.#send(body, this.#token ?? (await this.renew()));
      if (response.status === 401) response = await this.#send(body, await this.renew());
      if (response.status === 401) this.#token = null;
      const hopeless = response.status === 400 || response.status === 413;
      if (!response.ok)
        throw problem(
          `http-${response.status}`,
          `Baton answered ${response.status}.`,
          [],
          !hopeless,
        );
      const answer = await response.json().catch(() => null);
      if (Array.isArray(answer?.accepted) && Array.isArray(answer.refused)) return answer;
      throw problem("unreadable-answer", "The endpoint does not answer as Baton does.", [], true);
    }

    /**
     * Sends while the page closes. It cannot wait for the answer: events without a known answer are
     * sent again later.
     */
    postAndLeave(body) {
      if (this.#token) this.#send(body, this.#token).catch(() => {});
    }

    async renew() {
      this.#token = null;
      try {
        return (this.#token = await this.getToken());
      } catch {
        throw problem("no-token", "getToken() failed.", [], true);
      }
    }

    async #send(body, token) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const options = {
        method: "POST",
        headers,
        body,
        signal,
        keepalive: true,
        credentials: "omit",
      };
      return fetch(this.endpoint, options).catch(() => {
        throw problem(
          "unreachable",
          "Baton did not answer, or CSP or CORS forbids asking it.",
          [],
          true,
        );
      });
    }
  }

  class Bridge {
    #timer = 0;
    #dueAt = Infinity;
    #sending = false;
    #underWay = [];
    #failures = 0;
    #size = BATCH_EVENTS;
    #listeners = new AbortController();
    ignored = 0;

    constructor(options) {
      this.options = options;
      this.queue = new Queue(options.endpoint);
      this.courier = new Courier(options);
      const on = (type, listener) =>
        addEventListener(type, listener, { signal: this.#listeners.signal });
      on("message", (event) => this.#hear(event));
      on("online", () => this.#soon(0));
      on("pageshow", () => this.#soon(0));
      on("pagehide", () => this.#leave());
      // in case that tab has closed by then
      on("storage", ({ newValue }) => newValue && this.#soon(OTHERS_TURN_MS));
      this.courier.renew().catch(() => {}); // so that even a page that closes at once has a token
      this.#soon(0);
    }

    stop() {
      this.#listeners.abort();
      clearTimeout(this.#timer);
    }

    #hear({ source, origin, data }) {
      const { frame, adapterOrigins } = this.options;
      const trusted = source && source === frame.contentWindow && adapterOrigins.includes(origin);
      const posted = trusted
        ? orNull(() => (typeof data === "string" ? JSON.parse(data) : data))
        : null;
      if (!TYPES.includes(posted?.type) || !isObject(posted.data)) {
        this.ignored += 1;
        return;
      }
      this.#keep({
        id: newId(),
        seen_at: new Date().toISOString(),
        origin,
        type: posted.type,
        data: posted.data,
      });
      announce(posted);
    }

    #keep(event) {
      const json = orNull(() => JSON.stringify(event)); // a message can carry what JSON cannot
      if (json === null || bytes(json) >= BATCH_BYTES) {
        tell(
          this.options.onError,
          problem("too-large", "An event is too large, and is dropped.", [event.id]),
        );
        return;
      }
      if (!this.queue.add(event.id, json)) {
        tell(
          this.options.onError,
          problem("not-stored", "A reload would lose an event.", [event.id], true),
        );
      }
      this.#soon(0);
    }

    #soon(pause) {
      if (Date.now() + pause >= this.#dueAt || this.#listeners.signal.aborted) return;
      clearTimeout(this.#timer);
      this.#dueAt = Date.now() + pause;
      this.#timer = setTimeout(() => this.#run(), pause);
    }

    async #run() {
      this.#dueAt = Infinity;
      if (this.#sending) return; // the run that is sending looks again at the end
      this.#sending = true;
      try {
        await inTurn(() => this.#sendAll());
        this.#failures = 0;
      } catch (error) {
        this.#backOff(error);
      }
      this.#sending = false;
      this.#underWay = [];
      if (this.#failures === 0 && this.queue.all().length) this.#soon(0);
    }

    async #sendAll() {
      const expired = () => problem("expired", "An event waited for a day, and is dropped.");
      for (const old of this.queue.tooOld()) this.#drop(old, expired());
      while (
        (this.#underWay = this.queue.batch(this.#size)).length &&
        !this.#listeners.signal.aborted
      ) {
        const batch = this.#underWay;
        const post = this.courier.post(bodyOf(batch));
        await post.then(
          (answer) => this.#settle(batch, answer),
          (error) => this.#divide(batch, error),
        );
      }
    }

    /** Drops refused events, which Baton never takes. Reports events that it took in part, too. */
    #settle(batch, { accepted, refused, incomplete = [] }) {
      const refusal = (id) =>
        refused.find((one) => one.id === id || (one.id === null && batch.length === 1));
      const sent = batch.filter(({ id }) => accepted.includes(id));
      const dropped = batch.filter(({ id }) => !accepted.includes(id) && refusal(id));
      if (!sent.length && !dropped.length) this.#alone(batch);
      else this.#size = BATCH_EVENTS;
      for (const one of sent) this.queue.remove(one);
      for (const one of dropped)
        this.#drop(one, faulty("refused", "Baton refused an event", refusal(one.id)));
      for (const part of incomplete) {
        const error = faulty("incomplete", "Baton could not read a part of an event", part);
        tell(this.options.onError, Object.assign(error, { ids: [part.id] }));
      }
      if (sent.length)
        tell(
          this.options.onSent,
          sent.map(({ id }) => id),
        );
    }

    /**
     * Limits the next requests to one event each: the answer may concern an event whose id Baton
     * could not read.
     */
    #alone(batch) {
      if (batch.length === 1)
        throw problem("unreadable-answer", "Baton names none of these.", [], true);
      this.#size = 1;
    }

    /**
     * Limits the next requests to one event each, so that a refused event does not block the
     * others.
     */
    #divide(batch, error) {
      if (error.retrying) throw error;
      if (batch.length === 1) this.#drop(batch[0], error);
      this.#size = 1;
    }

    #drop(one, error) {
      this.queue.remove(one);
      tell(this.options.onError, Object.assign(error, { ids: [one.id] }));
    }

    #backOff(error) {
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
      this.#failures += 1;
      tell(
        this.options.onError,
        error.reason ? error : problem("internal", "The bridge stumbled.", [], true),
      );
      this.#soon(pause * (0.5 + Math.random() / 2));
    }

    /** Sends what is not in flight when the page closes. What does not arrive stays queued. */
    #leave() {
      const goes = new Set(this.#underWay.map(({ key }) => key));
      const batch = this.queue.batch(BATCH_EVENTS).filter(({ key }) => !goes.has(key));
      if (batch.length) this.courier.postAndLeave(bodyOf(batch));
    }
  }

  /** Notifies the CRM page, which may open a ticket or fill a field. */
  function announce({ type, data }) {
    const say = (name) => window.dispatchEvent(new CustomEvent(name, { detail: { type, data } }));
    say("baton:event");
    if (type !== "Task_VA_Variables_Received") say("baton:virtual-agent");
    if (type !== "Task_VA_Joined") say("baton:variables");
  }

  function sessionOf({ data }) {
    const kind = ["chat", "call"].find((one) => /^\d+$/.test(String(data?.[`${one}_id`] ?? "")));
    if (!kind) return null;
    const id = String(data[`${kind}_id`]);
    return { kind, id, conversation: `ccai:${kind}-${id}` };
  }

  /** Returns what is known of a session once this event is known too. */
  function withEvent(known, { type, data }) {
    const { captured_variables: captured, ...named } = data;
    const values = (Array.isArray(captured) ? captured : []).map((one) => one?.variables);
    const left = type === "Task_VA_Left";
    return {
      ...known,
      virtualAgentPresent: !left,
      finishReason: left ? (data.finish_reason ?? null) : null,
      fields: { ...known.fields, ...named },
      variables: Object.assign({}, known.variables, ...values.filter(isObject)),
    };
  }

  function onSession(opened, changed = () => {}) {
    const sessions = new Map();
    const hear = ({ detail }) => {
      const session = sessionOf(detail);
      if (!session) return;
      const known = sessions.get(session.conversation);
      const now = withEvent(known ?? { ...session, fields: {}, variables: {} }, detail);
      sessions.set(session.conversation, now);
      if (known) changed(now, detail);
      else opened(now);
    };
    const listeners = new AbortController();
    addEventListener("baton:event", hear, { signal: listeners.signal });
    return () => listeners.abort();
  }

  function check({ endpoint, adapterOrigins, frame, getToken }) {
    const isExact = (origin) => orNull(() => new URL(origin).origin) === origin;
    const demands = {
      "endpoint must be a whole URL": orNull(() => new URL(endpoint)),
      "adapterOrigins must list exact origins":
        adapterOrigins?.length && adapterOrigins.every(isExact),
      "frame must be the adapter's iframe": frame instanceof HTMLIFrameElement,
      "getToken must return a token, or a promise of one": typeof getToken === "function",
    };
    const fault = Object.keys(demands).find((demand) => !demands[demand]);
    if (fault) throw new TypeError(`BatonBridge.start: ${fault}`);
  }

  globalThis.BatonBridge = Object.freeze({
    start(options) {
      check(options);
      const bridge = new Bridge(options);
      const pending = () => bridge.queue.all().length;
      return Object.freeze({ stop: () => bridge.stop(), pending, ignored: () => bridge.ignored });
    },
    onSession,
    sessionOf,
  });
})();
