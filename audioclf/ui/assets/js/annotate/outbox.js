// @ts-check
/* What a person said goes to the server one after the other, again until it is there; what is not
   there yet outlives a reload. The server keeps each request only once. */

/** @typedef {import('./api.js').Request} Request */
/** @typedef {{ id: number, session: number, request: Request }} Entry */
/** @typedef {{ entries: Entry[], failure: string | null }} OutboxState */
/**
 * @typedef {{ type: 'add', entry: Entry } | { type: 'delivered', id: number }
 *   | { type: 'failed', reason: string }} OutboxAction
 */
/**
 * Where requests are kept.
 * @typedef {{
 *   names: () => string[], read: (name: string) => string | null,
 *   write: (name: string, text: string) => void, remove: (name: string) => void,
 * }} Storage
 */

export const RETRY_MS = 2000;
const PREFIX = 'audioclf-outbox-';

/** @type {OutboxState} */
export const EMPTY_OUTBOX = { entries: [], failure: null };

/**
 * @param {OutboxState} state
 * @param {OutboxAction} action
 * @returns {OutboxState}
 */
export function reduceOutbox(state, action) {
  switch (action.type) {
    case 'add':
      return { ...state, entries: [...state.entries, action.entry] };
    case 'delivered':
      return { entries: state.entries.filter(({ id }) => id !== action.id), failure: null };
    case 'failed':
      return { ...state, failure: action.reason };
  }
}

/**
 * @template Reply
 * @param {{
 *   tab: string,
 *   storage: Storage,
 *   deliver: (entry: Entry) => Promise<Reply>,
 *   redeliver: (request: Request) => Promise<unknown>,
 *   onDelivered: (entry: Entry, reply: Reply) => void,
 *   onChange: (state: OutboxState) => void,
 *   onError?: (error: unknown) => void,
 *   wait?: (ms: number) => Promise<void>,
 * }} options
 *   deliver: send, or throw where that was not reached. redeliver: the same for what another window
 *   left behind. onDelivered comes before the answer to whoever posted it; onError takes what goes
 *   wrong in it, which keeps no later request back.
 */
export function createOutbox({
  tab,
  storage,
  deliver,
  redeliver,
  onDelivered,
  onChange,
  onError = (error) => reportError(error),
  wait = sleep,
}) {
  let state = EMPTY_OUTBOX;
  let n_posted = 0;
  let isSending = false;
  /** @type {Map<number, (reply: Reply) => void>} */
  const waiting = new Map();
  /** @type {(() => void)[]} */
  const whenEmptyCalls = [];

  /** @param {OutboxAction} action */
  function dispatch(action) {
    const before = state;
    state = reduceOutbox(state, action);
    if (state.entries !== before.entries) keep();
    onChange(state);
  }
  function keep() {
    const requests = state.entries.map(({ request }) => request);
    if (requests.length) storage.write(PREFIX + tab, JSON.stringify(requests));
    else storage.remove(PREFIX + tab);
  }
  /** @param {Entry} entry */
  async function sendOne(entry) {
    let reply;
    try {
      reply = await deliver(entry);
    } catch (error) {
      dispatch({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
      return wait(RETRY_MS);
    }
    dispatch({ type: 'delivered', id: entry.id });
    try {
      onDelivered(entry, reply);
    } catch (error) {
      onError(error);
    }
    waiting.get(entry.id)?.(reply);
    waiting.delete(entry.id);
  }
  async function sendAll() {
    if (isSending) return;
    isSending = true;
    while (state.entries.length) await sendOne(state.entries[0]);
    isSending = false;
    for (const call of whenEmptyCalls.splice(0)) call();
  }

  return {
    state: () => state,
    /** Those of one session. @param {number} session */
    requestsOf: (session) =>
      state.entries.filter((entry) => entry.session === session).map(({ request }) => request),
    /**
     * @param {Request} request
     * @param {number} session
     * @returns {Promise<Reply>} the server's answer, whenever it comes
     */
    post(request, session) {
      const id = ++n_posted;
      /** @type {Promise<Reply>} */
      const done = new Promise((resolve) => waiting.set(id, resolve));
      dispatch({ type: 'add', entry: { id, session, request } });
      sendAll();
      return done;
    },
    /** @returns {Promise<void>} */
    whenEmpty: () =>
      state.entries.length
        ? new Promise((resolve) => whenEmptyCalls.push(resolve))
        : Promise.resolve(),
    /** Send what a closed or reloaded page had not sent. */
    async resendStored() {
      const names = storage
        .names()
        .filter((name) => name.startsWith(PREFIX) && name !== PREFIX + tab);
      for (const name of names) {
        const text = storage.read(name);
        try {
          for (const request of parse(text)) await redeliver(request);
        } catch {
          return; // the server is not there, or not able now: the next opening tries again
        }
        if (storage.read(name) === text) storage.remove(name); // else its window is alive
      }
    },
  };
}

/** @param {number} ms @returns {Promise<void>} */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The requests that a window kept; none where something else stands there.
 * @param {string | null} text
 * @returns {Request[]}
 */
function parse(text) {
  try {
    const requests = JSON.parse(text || '[]');
    return requests.filter((/** @type {Request} */ { endpoint, payload }) => endpoint && payload);
  } catch {
    return [];
  }
}
