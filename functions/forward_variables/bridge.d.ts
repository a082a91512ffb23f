/**
 * What the agent adapter posts of a virtual agent, as it came. Fields that the platform does not
 * have for a session are missing.
 */
export interface VirtualAgentEvent {
  type: "Task_VA_Joined" | "Task_VA_Left" | "Task_VA_Variables_Received";
  data: Record<string, unknown> & {
    chat_id?: number | null;
    call_id?: number | null;
    campaign_id?: number;
    campaign_name?: string;
    virtual_agent_id?: number;
    virtual_agent_name?: string;
    participant_id?: number;
    queue_id?: number;
    queue_path?: string;
    queue_language_id?: string;
    session_type?: string;
    conversation_id?: string;
    session_id?: string;
    timestamp?: string;
    finish_reason?: string;
    data_parameters?: Record<string, unknown>;
    captured_variables?: {
      intent_name?: string | null;
      variables: Record<string, unknown>;
      captured_at?: string;
      timestamp?: string;
    }[];
  };
}

/** A session of the contact center, as the bridge has heard of it in this tab. */
export interface Session {
  kind: "chat" | "call";
  id: string;
  /** The conversation under which Baton knows it, such as "ccai:chat-103646". */
  conversation: string;
  /** Whether a virtual agent is in it, as far as this tab has heard. */
  virtualAgentPresent: boolean;
  /** The reason with which the virtual agent left; null until it leaves. */
  finishReason: string | null;
  /** The latest value of each field that an event has named, under the platform's names. */
  fields: Record<string, unknown>;
  /** The latest value of each captured variable. */
  variables: Record<string, unknown>;
}

/** What went wrong. It never holds a variable's key or value. */
export interface BridgeError extends Error {
  /**
   * Dropped: "too-large", "refused", "expired", "http-400", "http-413".
   * Taken, but for a part that Baton could not read: "incomplete".
   * Tried again: "unreachable" (offline, CSP, CORS), "no-token", "unreadable-answer", "internal",
   * "http-<status>".
   * Kept in memory only: "not-stored".
   */
  reason: string;
  /**
   * Of "refused" and "incomplete": Baton's own reason, and the field of the event's data that it is
   * about.
   */
  detail?: string;
  field?: string;
  /** The events concerned; empty where it is none in particular. */
  ids: string[];
  /** Whether the bridge goes on trying. */
  retrying: boolean;
}

export interface Options {
  /** The URL of forward_variables. */
  endpoint: string;
  /** The exact origins whose posts count, such as "https://tenant.ccaiplatform.com". */
  adapterOrigins: string[];
  /** The iframe in which the adapter runs; posts of any other window are ignored. */
  frame: HTMLIFrameElement;
  /**
   * Returns a fresh token from the CRM's own back end: HS256, `aud` "baton", `sub` the agent, `exp`
   * in 10 minutes at most.
   */
  getToken: () => string | Promise<string>;
  /** Hears of everything that is dropped, and of every failed try. */
  onError?: (error: BridgeError) => void;
  /** Hears the ids of the events that Baton has taken, whichever tab had heard them. */
  onSent?: (ids: string[]) => void;
}

export interface Bridge {
  /** Stops listening and sending; what waits is sent by the next page that starts a bridge. */
  stop(): void;
  /** Returns how many events wait, in all tabs. */
  pending(): number;
  /** Returns how many messages were none of the bridge's: another origin, window or type. */
  ignored(): number;
}

declare global {
  /** Set by `<script src=".../bridge.js">` and by `await import(".../bridge.js")` alike. */
  const BatonBridge: {
    /** Throws a TypeError where an option is wrong. */
    start(options: Options): Bridge;
    /**
     * Calls `opened` once for each session, at its first event, and `changed` at each later one.
     * Opens a ticket tab for a session id, for example. Returns a function that stops it.
     */
    onSession(
      opened: (session: Session) => void,
      changed?: (session: Session, event: VirtualAgentEvent) => void,
    ): () => void;
    /** Returns the session of an event, or null where it names none. */
    sessionOf(event: VirtualAgentEvent): Pick<Session, "kind" | "id" | "conversation"> | null;
  };

  interface WindowEventMap {
    /** Each event of a virtual agent, once. */
    "baton:event": CustomEvent<VirtualAgentEvent>;
    /** A virtual agent joined or left. */
    "baton:virtual-agent": CustomEvent<VirtualAgentEvent>;
    /** A virtual agent captured variables. */
    "baton:variables": CustomEvent<VirtualAgentEvent>;
  }
}
