// @ts-check
/* The project that is labelled: where it stands, what comes next, and what is on its way to the
   server. What comes next is prepared before it is asked for, so that a key is answered at once. */
import * as api from './api.js';
import { createOutbox } from './outbox.js';
import { createPlayer } from './player.js';
import * as queue from './queue_state.js';
import { recall, remember, storage } from './storage.js';

/** @typedef {import('./api.js').Status} Status */
/**
 * What the page does for it.
 * @typedef {{
 *   order: () => string, isLooped: () => boolean, isSeen: () => boolean,
 *   onChange: () => void, onMessage: (text: string, isError?: boolean) => void,
 *   onUnsent: (state: import('./outbox.js').OutboxState) => void,
 *   onProgress: (place: api.Place, audio: HTMLAudioElement) => void,
 * }} Page
 */

const N_KEPT = 16; // clips on either side that stay in memory to go back to
const POLL_MS = 1500;
const POLL_HIDDEN_MS = 3000;
const POLL_FAILED_MS = 5000;
const UNSENT_WAIT_MS = 3000; // for what was not sent, when a project is opened

/** @param {number} ms @returns {Promise<void>} */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Project {
  /**
   * @param {api.Server} server
   * @param {Page} page
   */
  constructor(server, page) {
    this.page = page;
    /** @type {api.Settings | null} */
    this.settings = null;
    this.session = 0; // counts openings: an answer to an earlier one is stale
    this.state = queue.CLOSED;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pollTimer = undefined;
    const annotator = recall('annotator', '') || api.newId();
    remember('annotator', annotator);
    const tab = api.newId();
    this.api = api.createApi(server, () => ({
      settings: this.settings,
      session: this.session,
      order: page.order(),
      annotator,
      tab,
    }));
    this.outbox = createOutbox({
      tab,
      storage,
      deliver: ({ request }) => {
        const n = api.isRegionRequest(request) ? 0 : this.nWanted();
        return this.api.send(request, n, this.held());
      },
      redeliver: (request) => this.api.send(request, 0, []),
      onDelivered: (entry, reply) => this.onDelivered(entry.session, reply),
      onChange: page.onUnsent,
    });
    this.player = createPlayer({
      prepareClip: this.api.prepareClip,
      isLooped: page.isLooped,
      onProgress: page.onProgress,
      onBlocked: () =>
        page.onMessage('Press Space to play: this browser wants a key or a click first.'),
    });
  }

  /* ---- where it stands ---- */

  current() {
    return queue.currentItem(this.state);
  }

  /** @param {api.Place} place */
  isCurrent(place) {
    return queue.isSame(place, this.current());
  }

  /** @param {string | undefined} name */
  classNamed(name) {
    return this.state.status?.classes.find((one) => one.name === name);
  }

  /** @returns {api.Place[]} whose annotations are on their way */
  pending() {
    return api.pendingPlaces(this.outbox.requestsOf(this.session));
  }

  /** @returns {api.Place[]} that the server need not name */
  held() {
    return queue.heldPlaces(this.state, this.pending());
  }

  nWanted() {
    return Math.max(0, queue.N_PREFETCHED - this.state.prefetched.length);
  }

  /** @param {import('./queue_state.js').QueueAction} action */
  dispatch(action) {
    this.state = queue.reduceQueue(this.state, action);
    const { history, position, prefetched } = this.state;
    const near = history.slice(Math.max(0, position - N_KEPT), position + N_KEPT + 1);
    this.player.retain([...prefetched, ...near]);
    for (const item of prefetched) this.player.prepare(item).catch(() => {}); // it says so when shown
  }

  /** @param {Status} status */
  applyStatus(status) {
    const hasUnsent = this.outbox.state().entries.length > 0;
    this.dispatch({ type: 'applyStatus', status, pending: this.pending(), hasUnsent });
    clearTimeout(this.pollTimer);
    const { kind, isReady, error } = status.embedding;
    if (kind !== 'none' && !isReady && !error) this.pollLater(POLL_MS);
    this.page.onChange();
  }

  /* ---- what is asked ---- */

  /**
   * Another project, or none; null where yet another one was opened meanwhile.
   * @param {api.Settings | null} settings
   * @param {(n_left: number) => void} onSegmented how many recordings are looked through yet
   * @returns {Promise<Status | null>}
   */
  async open(settings, onSegmented) {
    const session = ++this.session;
    this.settings = settings;
    clearTimeout(this.pollTimer);
    this.dispatch({ type: 'open' });
    if (!settings) return null;
    await this.outbox.resendStored();
    await Promise.race([this.outbox.whenEmpty(), sleep(UNSENT_WAIT_MS)]);
    if (session !== this.session) return null;
    let status = await this.api.openQueue(queue.N_PREFETCHED);
    for (let n_left = status.n_unsegmented; n_left; ) {
      onSegmented(n_left);
      n_left = await this.api.detectSilences();
      if (!n_left) status = await this.api.openQueue(queue.N_PREFETCHED);
    }
    return status;
  }

  /** @param {number} ms */
  pollLater(ms) {
    this.pollTimer = setTimeout(() => this.poll(), ms);
  }

  /** How far the embedding model is; when it is done, what comes next is asked for again. */
  async poll() {
    if (!this.page.isSeen()) return this.pollLater(POLL_HIDDEN_MS);
    const wasReady = this.state.status?.embedding.isReady;
    try {
      const status = await this.api.nextItems(0, this.held());
      this.applyStatus(status);
      if (!status.embedding.isReady || wasReady) return;
      this.dispatch({ type: 'dropPrefetched', n_kept: 1 });
      await this.refill();
    } catch (error) {
      if (!api.isStale(error)) this.pollLater(POLL_FAILED_MS);
    }
  }

  async refill() {
    const n = this.nWanted();
    if (n) this.applyStatus(await this.api.nextItems(n, this.held()));
  }

  /** Whether there is more to show, the skipped ones at last. */
  async fetchMore() {
    await this.outbox.whenEmpty();
    await this.refill();
    if (!this.state.prefetched.length && this.state.skipped.length) {
      this.dispatch({ type: 'retrySkipped' });
      await this.refill();
    }
    return this.state.prefetched.length > 0;
  }

  /** Where it stands by now. */
  async sync() {
    try {
      if (this.settings) this.applyStatus(await this.api.nextItems(0, this.held()));
    } catch {
      // the next answer says it
    }
  }

  /** @param {string[]} names */
  async addClasses(names) {
    this.applyStatus(await this.api.addClasses(names, this.held()));
  }

  /* ---- what is said ---- */

  /**
   * Send it when its turn comes; the server's answer, or null where it was refused.
   * @param {api.Request} request
   */
  async post(request) {
    const reply = await this.outbox.post(request, this.session);
    return reply.error ? null : reply;
  }

  /**
   * @param {number} session
   * @param {api.Reply} reply
   */
  onDelivered(session, reply) {
    if (reply.error) this.page.onMessage(reply.error, true);
    else if (reply.status && session === this.session) this.applyStatus(reply.status);
  }

  /**
   * The clip that is shown gets its annotation.
   * @param {api.Annotation} annotation
   * @param {boolean} isAccepted as it was suggested
   */
  annotate(annotation, isAccepted) {
    const item = this.current();
    if (!item || !this.settings) return false;
    const requestId = api.newId();
    this.post(api.submitAnnotation(this.settings, item, annotation, requestId, isAccepted)).then(
      (reply) => {
        if (reply) return;
        this.dispatch({ type: 'refused', requestId });
        this.page.onChange();
      },
    );
    this.dispatch({ type: 'annotate', annotation, requestId, now: Date.now() });
    return true;
  }
}
