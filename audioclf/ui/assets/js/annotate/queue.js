// @ts-check
/* Label: one clip at a time, one key per clip.

   What comes next is prepared before it is asked for, so that a key is answered at once; what was
   said goes to the server in its order, and is kept in the browser until the server has it. */
import * as api from './api.js';
import { Browse } from './browse.js';
import { classOfKey, isHeldDown, nameOf, stop, watchFocus } from './keys.js';
import { createOutbox } from './outbox.js';
import { createPlayer } from './player.js';
import * as queue from './queue_state.js';
import { Regions } from './regions.js';
import { recall, remember, storage } from './storage.js';
import * as view from './view.js';

/** @typedef {import('./api.js').Item} Item */
/** @typedef {import('./api.js').Kind} Kind */
/** @typedef {import('./api.js').Status} Status */
/** @typedef {import('./view.js').Switch} Switch */
/** @typedef {import('./view.js').ViewName} ViewName */

const N_KEPT = 16; // clips on either side that stay in memory to go back to
const POLL_MS = 1500;
const POLL_HIDDEN_MS = 3000;
const POLL_FAILED_MS = 5000;
const RETRY_MS = 2000;
const UNSENT_WAIT_MS = 3000; // for what was not sent, when a data set is opened
const SYNC_MS = 800; // after an undo, when suggestions follow from the labels as they are now
const DEFAULTS = { autoplay: true, loop: false, several: false, order: 'useful' };

export class Queue {
  /**
   * @param {HTMLElement} element
   * @param {api.Server} server
   */
  constructor(element, server) {
    this.element = element;
    /** @type {api.Settings | null} */
    this.settings = null;
    this.session = 0; // counts openings: an answer to an earlier one is stale
    this.state = queue.CLOSED;
    /** @type {ViewName} */
    this.view = 'queue';
    this.isLoading = false;
    this.isOpenedLater = false; // when the tab is seen
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pollTimer = undefined;
    this.options = { ...DEFAULTS, ...recall('options', {}) };
    const annotator = recall('annotator', '') || api.newId();
    remember('annotator', annotator);
    const tab = api.newId();
    this.api = api.createApi(server, () => ({
      settings: this.settings,
      session: this.session,
      order: this.options.order,
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
      onChange: (state) => this.drawUnsaved(state),
    });
    this.player = createPlayer({
      prepareClip: this.api.prepareClip,
      isLooped: () => this.options.loop,
      onProgress: (place, audio) => this.drawProgress(place, audio),
      onBlocked: () =>
        this.showMessage('Press Space to play: this browser wants a key or a click first.'),
    });
    this.actions = this.buildActions();
    const box = element.querySelector('.ac-desk') || element;
    this.els = view.buildView(box, this.actions, this.options);
    this.browse = new Browse(this);
    this.regions = new Regions(this);
    this.commands = this.buildCommands();
    this.isForQueue = watchFocus();
  }

  /** @returns {import('./view.js').Actions} */
  buildActions() {
    return {
      show: (name) => this.show(name),
      back: () => this.back(),
      toggle: () => this.player.toggle(this.current()),
      skip: () => this.skip(),
      undo: () => this.undo(),
      unsure: () => this.annotate('unsure', []),
      badAudio: () => this.annotate('bad audio', []),
      findSimilar: () => this.browse.findSimilar(this.current()),
      setSwitch: (name, value) => this.setSwitch(name, value),
      setOrder: (order) => this.setOrder(order),
      addClass: (event) => this.addClass(event),
      accept: () => this.accept(),
      choose: (name) => this.choose(name),
      askClass: () => view.openField(this.els),
      seek: (seconds) => this.player.play(this.current(), seconds),
    };
  }

  /** @returns {Record<string, () => void>} */
  buildCommands() {
    const { actions, options } = this;
    return {
      ' ': actions.toggle,
      ArrowLeft: actions.back,
      ArrowRight: actions.skip,
      Enter: actions.accept,
      s: actions.skip,
      u: actions.undo,
      n: actions.askClass,
      r: () => actions.seek(0),
      0: actions.unsure,
      b: actions.badAudio,
      f: actions.findSimilar,
      e: () => actions.show('regions'),
      a: () => actions.setSwitch('autoplay', !options.autoplay),
      l: () => actions.setSwitch('loop', !options.loop),
      m: () => actions.setSwitch('several', !options.several),
      '?': () => {
        this.els.keys.open = !this.els.keys.open;
      },
    };
  }

  /* ---- the state, and what follows from it ---- */

  current() {
    return queue.currentItem(this.state);
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

  /** @param {string | undefined} name */
  classNamed(name) {
    return this.state.status?.classes.find((one) => one.name === name);
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
    this.draw();
  }

  /** @param {number} ms */
  pollLater(ms) {
    this.pollTimer = setTimeout(() => this.poll(), ms);
  }

  /** How far the embedding model is; when it is done, what comes next is asked for again. */
  async poll() {
    if (!this.isSeen()) return this.pollLater(POLL_HIDDEN_MS);
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

  /** Where the project stands by now. */
  async sync() {
    try {
      if (this.settings) this.applyStatus(await this.api.nextItems(0, this.held()));
    } catch {
      // the next answer says it
    }
  }

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
    if (reply.error) this.showMessage(reply.error, true);
    else if (reply.status && session === this.session) this.applyStatus(reply.status);
  }

  /* ---- a data set ---- */

  /** @param {api.Settings | null} settings */
  setSettings(settings) {
    if (JSON.stringify(settings) === JSON.stringify(this.settings)) return;
    this.settings = settings;
    if (this.isSeen() || !settings) this.open();
    else this.isOpenedLater = true;
  }

  /** The tab comes into sight, or goes out of it. */
  onVisibility() {
    if (this.isSeen()) {
      if (this.isOpenedLater) this.open();
    } else if (this.element.offsetParent === null) {
      this.player.pause();
      this.regions.pause();
    }
  }

  async open() {
    const session = ++this.session;
    this.isOpenedLater = false;
    this.isLoading = false;
    clearTimeout(this.pollTimer);
    this.dispatch({ type: 'open' });
    this.els.similar.replaceChildren();
    this.regions.forget();
    this.browse.forget();
    this.showMessage('');
    this.els.root.hidden = !this.settings;
    this.els.root.dataset.set = '';
    if (!this.settings) return;
    await this.outbox.resendStored();
    await Promise.race([this.outbox.whenEmpty(), sleep(UNSENT_WAIT_MS)]);
    if (session !== this.session) return;
    try {
      const status = await this.openSegmented();
      this.showMessage('');
      this.applyStatus(status);
      this.show('queue');
      this.next();
      this.els.root.dataset.set = this.settings.set;
      if (!status.classes.length) view.openField(this.els);
    } catch (error) {
      this.report(error);
    }
  }

  /** The queue, when all long recordings were looked through for silences. */
  async openSegmented() {
    let status = await this.api.openQueue(queue.N_PREFETCHED);
    this.els.typed.maxLength = status.maxClassName;
    for (let n_left = status.n_unsegmented; n_left; ) {
      this.showMessage(`Detecting silences: ${view.plural(n_left, 'recording')} left…`);
      n_left = await this.api.detectSilences();
      if (!n_left) status = await this.api.openQueue(queue.N_PREFETCHED);
    }
    return status;
  }

  /* ---- back and forth ---- */

  next() {
    this.dispatch({ type: 'advance' });
    this.settle();
  }

  back() {
    if (this.state.position <= 0) return;
    this.player.pause();
    this.dispatch({ type: 'back' });
    this.showCurrent();
  }

  skip() {
    this.dispatch({ type: 'skip' });
    this.settle();
  }

  /** The clip that is current is shown, or waited for. */
  settle() {
    this.player.pause();
    if (!this.current()) return this.load();
    this.showCurrent();
    this.refill().catch((error) => this.report(error));
  }

  async load() {
    this.els.title.textContent = '';
    view.showLoading(this.els);
    if (this.isLoading) return;
    const { session } = this;
    this.isLoading = true;
    const hasMore = await this.askForMore();
    if (session !== this.session) return;
    this.isLoading = false;
    if (this.current()) return; // somebody went back meanwhile
    if (hasMore) this.next();
    else if (hasMore === false) view.drawEnd(this.els, this.state.status);
    else setTimeout(() => this.loadAgain(session), RETRY_MS);
  }

  /** @param {number} session */
  loadAgain(session) {
    if (session === this.session && !this.current() && this.els.end.hidden) this.next();
  }

  /** Whether there is more; null where that cannot be known now. */
  async askForMore() {
    try {
      await this.outbox.whenEmpty();
      await this.refill();
      if (!this.state.prefetched.length && this.state.skipped.length) {
        this.dispatch({ type: 'retrySkipped' });
        await this.refill();
      }
      return this.state.prefetched.length > 0;
    } catch (error) {
      this.report(error);
      return null;
    }
  }

  async showCurrent() {
    const item = this.current();
    if (!item) return;
    const isPlayed = this.options.autoplay && this.view === 'queue' && this.isSeen();
    if (isPlayed) this.player.play(item, 0); // before anything is drawn
    const coming = this.player.prepare(item);
    const there = this.player.dataOf(item);
    view.drawClip(this.els, item);
    if (!there) view.showLoading(this.els);
    this.draw();
    this.els.similar.replaceChildren();
    try {
      const clip = there || (await coming);
      if (!queue.isSame(item, this.current())) return;
      if (clip.error) return this.exclude(item, clip.error);
      view.drawLanes(this.els, this.actions, clip);
      if (clip.isBeginning) {
        this.showMessage(
          'This is its beginning: two minutes. Mark regions in it (E), or have long recordings segmented, below.',
        );
      }
      this.element.style.setProperty('--audioclf-at', '0');
      if (isPlayed && this.player.audioOf(item)?.paused) this.player.play(item, 0);
    } catch (error) {
      this.report(error);
    }
  }

  /**
   * @param {Item} item
   * @param {string} reason
   */
  exclude(item, reason) {
    this.showMessage(`Skipped: ${reason}`, true);
    this.dispatch({ type: 'exclude', key: api.keyOf(item) });
    this.settle();
  }

  /** A clip that was chosen elsewhere on the page. @param {Item} item */
  goTo(item) {
    this.player.pause();
    this.dispatch({ type: 'goTo', item });
    this.show('queue');
    this.showCurrent();
  }

  /* ---- annotations ---- */

  /**
   * @param {Kind} kind
   * @param {string[]} names
   * @param {boolean} [isAccepted] as it was suggested
   */
  annotate(kind, names, isAccepted = false) {
    const item = this.current();
    if (!item || !this.settings) return;
    const [requestId, annotation] = [api.newId(), { kind, names }];
    this.showMessage('');
    this.post(api.submitAnnotation(this.settings, item, annotation, requestId, isAccepted)).then(
      (reply) => {
        if (reply) return;
        this.dispatch({ type: 'refused', requestId });
        this.draw();
      },
    );
    this.dispatch({ type: 'annotate', annotation, requestId, now: Date.now() });
    this.settle();
  }

  accept() {
    const suggestion = this.current()?.suggestion;
    if (this.options.several && this.state.selected.length) {
      this.annotate('label', this.state.selected);
    } else if (suggestion) this.annotate('label', [suggestion.name], true);
    else this.showMessage('Nothing is suggested yet: choose a class.');
  }

  /** @param {string} name */
  choose(name) {
    if (this.view === 'regions') this.regions.name(name);
    else if (!this.options.several) this.annotate('label', [name]);
    else {
      this.dispatch({ type: 'toggleClass', name });
      this.draw();
    }
  }

  undo() {
    const { settings } = this;
    const last = this.state.undoStack.at(-1);
    if (!settings) return;
    if (!last) {
      this.undoEarlier(settings);
      return;
    }
    this.dispatch({ type: 'undo' });
    for (const requestId of last.requestIds) {
      this.post(api.undoAnnotation(settings, requestId)).then(() => {
        if (!last.item) this.refreshView();
      });
    }
    if (!last.item) return;
    this.player.pause();
    this.showCurrent();
    setTimeout(() => this.sync(), SYNC_MS);
  }

  /** What was said before this page was opened. @param {api.Settings} settings */
  async undoEarlier(settings) {
    const undone = (await this.post(api.undoAnnotation(settings)))?.undone;
    if (undone && !undone.isRegion && this.view === 'queue') {
      this.goTo({ ...api.placeOf(undone), suggestion: null, annotation: null });
    }
    this.showMessage(undone ? `Undone: ${undone.file}.` : 'There is nothing to undo.');
    this.refreshView();
  }

  refreshView() {
    if (this.view === 'regions') this.regions.refresh();
    else if (this.view === 'clips') this.browse.listClips();
  }

  /* ---- classes ---- */

  /** @param {KeyboardEvent} event */
  async addClass(event) {
    const { els, view: shown } = this;
    const typed = els.typed.value;
    const names = typed
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    if (!names.length) return view.closeField(els);
    const isFirst = shown === 'queue' && !this.state.status?.classes.length;
    const isOnlyAdded = event.shiftKey || isFirst || typed.includes(',');
    const item = this.current();
    els.typed.value = ''; // a second Enter finds nothing
    view.closeField(els);
    try {
      this.applyStatus(await this.api.addClasses(names, this.held()));
      const isMeant = this.view === 'regions' || queue.isSame(item, this.current());
      if (!isOnlyAdded && isMeant) this.choose(names[0]);
    } catch (error) {
      if (api.isStale(error)) return;
      this.report(error);
      els.typed.value = typed;
      view.openField(els);
    }
  }

  /* ---- drawing ---- */

  /**
   * @param {string} text
   * @param {boolean} [isError]
   */
  showMessage(text, isError) {
    view.showMessage(this.els, text, isError);
  }

  /** @param {unknown} error */
  report(error) {
    if (!api.isStale(error)) this.showMessage(api.messageOf(error), true);
  }

  draw() {
    const { status, selected } = this.state;
    if (!status) return;
    /** @param {string} name */
    const isPressed = (name) =>
      this.view === 'regions' ? this.regions.isNamed(name) : selected.includes(name);
    view.drawStatus(this.els, this.actions, { ...this.state, status }, this.current(), isPressed);
  }

  /** @param {import('./outbox.js').OutboxState} state */
  drawUnsaved({ entries, failure }) {
    const { unsaved } = this.els;
    const isKept = failure !== null && entries.length > 0;
    unsaved.textContent = isKept
      ? `Not saved yet: ${entries.length}. Kept here, and sent again…`
      : '';
    unsaved.title = failure || '';
  }

  /**
   * @param {api.Place} place
   * @param {HTMLAudioElement} audio
   */
  drawProgress(place, audio) {
    if (!queue.isSame(place, this.current())) return;
    const fraction = audio.duration ? Math.min(1, audio.currentTime / audio.duration) : 0;
    this.element.style.setProperty('--audioclf-at', String(fraction));
    this.els.play.textContent = audio.paused ? 'Play' : 'Pause';
  }

  /**
   * @param {Switch} name
   * @param {boolean} value
   */
  setSwitch(name, value) {
    this.options[name] = value;
    remember('options', this.options);
    this.els.switches[name].checked = value;
    const audio = this.player.audioOf(this.current());
    if (name === 'loop' && audio) audio.loop = value;
    this.dispatch({ type: 'resetClasses' });
    this.draw();
  }

  /** @param {string} order */
  setOrder(order) {
    this.options.order = order;
    remember('options', this.options);
    this.dispatch({ type: 'dropPrefetched', n_kept: 0 });
    this.refill().catch((error) => this.report(error));
    this.draw();
  }

  /** @param {ViewName} name */
  show(name) {
    const { els } = this;
    this.view = name;
    for (const [one] of view.VIEWS) {
      els.views[one].hidden = one !== name;
      els.tabs[one].setAttribute('aria-pressed', String(one === name));
    }
    els.naming.hidden = !['queue', 'regions'].includes(name);
    (name === 'regions' ? els.views.regions : els.slot).append(els.naming);
    if (name !== 'queue') this.player.pause();
    if (name !== 'regions') this.regions.pause();
    if (name === 'clips') this.browse.listClips();
    if (name === 'map') this.browse.drawMap();
    if (name === 'regions') this.regions.show(this.current());
    this.draw();
  }

  /* ---- keys ---- */

  isSeen() {
    return this.element.offsetParent !== null && !document.hidden;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (this.settings && this.isSeen() && this.isForQueue(event) && this.runKey(event)) stop(event);
  }

  /** Whether the key meant something. @param {KeyboardEvent} event */
  runKey(event) {
    const key = nameOf(event);
    const isInRegions = this.view === 'regions';
    if (!isInRegions && this.view !== 'queue') return false;
    if (isHeldDown(event)) return true;
    if (isInRegions && this.regions.runKey(event, key)) return true;
    const classes = this.state.status?.classes || [];
    const i = classOfKey(key, classes.length);
    const command = isInRegions && !['n', 'u', '?'].includes(key) ? undefined : this.commands[key];
    if (i >= 0) this.choose(classes[i].name);
    else if (command) command();
    else return false;
    return true;
  }
}

/** @param {number} ms @returns {Promise<void>} */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @type {Queue | null} */
let started = null;

/** The queue on this page, for measurements. */
export const annotationQueue = () => started;

/**
 * Start the tab Label in its component.
 * @param {HTMLElement} element
 * @param {{ value: api.Settings | null }} props
 * @param {api.Server} server
 * @param {(name: string, callback: () => void) => void} watch
 */
export function startAnnotation(element, props, server, watch) {
  const desk = new Queue(element, server);
  started = desk;
  const update = () => desk.setSettings(props.value?.set ? props.value : null);
  new IntersectionObserver(() => desk.onVisibility()).observe(element);
  document.addEventListener('keydown', (event) => desk.onKey(event), true);
  watch('value', update);
  update();
}
