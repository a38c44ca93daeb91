// @ts-check
/* Label: one clip at a time, one key per clip.

   What was said goes to the server in its order, and is kept in the browser until it is there. */
import * as api from './api.js';
import { Browse } from './browse.js';
import { buildActions, buildCommands, runKey } from './commands.js';
import { stop, watchFocus } from './keys.js';
import { Project } from './project.js';
import { Regions } from './regions.js';
import { recall, remember } from './storage.js';
import * as view from './view.js';

/** @typedef {import('./api.js').Item} Item */
/** @typedef {import('./api.js').Kind} Kind */
/** @typedef {import('./view.js').Switch} Switch */
/** @typedef {import('./view.js').ViewName} ViewName */

const MAX_TYPED_NAMES = 20; // in the field for new classes, with a comma and a space between
const RETRY_MS = 2000;
const DEFAULTS = { autoplay: true, loop: false, several: false, order: 'useful' };

export class Queue {
  /**
   * @param {HTMLElement} element
   * @param {api.Server} server
   */
  constructor(element, server) {
    this.element = element;
    /** @type {api.Settings | null} */
    this.settings = null; // that are wanted; opened when the tab is seen
    /** @type {ViewName} */
    this.view = 'queue';
    this.isLoading = false;
    this.isOpenedLater = false; // when the tab is seen
    this.options = { ...DEFAULTS, ...recall('options', {}) };
    this.project = new Project(server, {
      order: () => this.options.order,
      isLooped: () => this.options.loop,
      isSeen: () => this.isSeen(),
      onChange: () => this.draw(),
      onMessage: (text, isError) => this.showMessage(text, isError),
      onUnsent: (state) => view.drawUnsent(this.els, state),
      onProgress: (place, audio) => this.drawProgress(place, audio),
    });
    this.player = this.project.player;
    this.actions = buildActions(this);
    const box = element.querySelector('.ac-desk') || element;
    this.els = view.buildView(box, this.actions, this.options);
    this.browse = new Browse(this);
    this.regions = new Regions(this);
    this.commands = buildCommands(this);
    this.isForQueue = watchFocus();
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
    const { settings, project } = this;
    this.isOpenedLater = false;
    this.isLoading = false;
    this.els.similar.replaceChildren();
    this.regions.forget();
    this.browse.forget();
    this.showMessage('');
    this.els.root.hidden = !settings;
    this.els.root.dataset.set = '';
    try {
      const status = await project.open(settings, (n_left) =>
        this.showMessage(`Detecting silences: ${view.plural(n_left, 'recording')} left…`),
      );
      if (!status || !settings) return;
      this.showMessage('');
      this.els.typed.maxLength = MAX_TYPED_NAMES * (status.maxClassName + 2);
      project.applyStatus(status);
      this.show('queue');
      this.next();
      this.els.root.dataset.set = settings.project;
      if (!status.classes.length) view.openField(this.els);
    } catch (error) {
      this.report(error);
    }
  }

  /* ---- back and forth ---- */

  next() {
    this.project.dispatch({ type: 'advance' });
    this.settle();
  }

  back() {
    if (this.project.state.position <= 0) return;
    this.player.pause();
    this.project.dispatch({ type: 'back' });
    this.showCurrent();
  }

  skip() {
    this.project.dispatch({ type: 'skip' });
    this.settle();
  }

  /** The clip that is current is shown, or waited for. */
  settle() {
    this.player.pause();
    if (!this.project.current()) return this.load();
    this.showCurrent();
    this.project.refill().catch((error) => this.report(error));
  }

  async load() {
    this.els.title.textContent = '';
    view.showLoading(this.els);
    if (this.isLoading) return;
    const { session } = this.project;
    this.isLoading = true;
    const hasMore = await this.fetchMore();
    if (session !== this.project.session) return;
    this.isLoading = false;
    if (this.project.current()) return; // somebody went back meanwhile
    if (hasMore) this.next();
    else if (hasMore === false) view.drawEnd(this.els, this.project.state.status);
    else setTimeout(() => this.loadAgain(session), RETRY_MS);
  }

  /** @param {number} session */
  loadAgain(session) {
    if (session === this.project.session && !this.project.current() && this.els.end.hidden)
      this.next();
  }

  /** Whether there is more; null where that cannot be known now. */
  async fetchMore() {
    try {
      return await this.project.fetchMore();
    } catch (error) {
      this.report(error);
      return null;
    }
  }

  async showCurrent() {
    const item = this.project.current();
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
      if (!this.project.isCurrent(item)) return;
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
    this.project.dispatch({ type: 'exclude', key: api.keyOf(item) });
    this.settle();
  }

  /** A clip that was chosen elsewhere on the page. @param {Item} item */
  goTo(item) {
    this.player.pause();
    this.project.dispatch({ type: 'goTo', item });
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
    if (this.project.annotate({ kind, names }, isAccepted)) {
      this.showMessage('');
      this.settle();
    }
  }

  accept() {
    const suggestion = this.project.current()?.suggestion;
    if (this.options.several && this.project.state.selected.length) {
      this.annotate('label', this.project.state.selected);
    } else if (suggestion) this.annotate('label', [suggestion.name], true);
    else this.showMessage('Nothing is suggested yet: choose a class.');
  }

  /** @param {string} name */
  choose(name) {
    if (this.view === 'regions') this.regions.edits.name(name);
    else if (!this.options.several) this.annotate('label', [name]);
    else {
      this.project.dispatch({ type: 'toggleClass', name });
      this.draw();
    }
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
    const isFirst = shown === 'queue' && !this.project.state.status?.classes.length;
    const isOnlyAdded = event.shiftKey || isFirst || typed.includes(',');
    const item = this.project.current();
    els.typed.value = ''; // a second Enter finds nothing
    view.closeField(els);
    try {
      await this.project.addClasses(names);
      const isMeant = this.view === 'regions' || (item && this.project.isCurrent(item));
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
    const { status, selected } = this.project.state;
    if (!status) return;
    /** @param {string} name */
    const isPressed = (name) =>
      this.view === 'regions' ? this.regions.edits.isNamed(name) : selected.includes(name);
    view.drawStatus(
      this.els,
      this.actions,
      { ...this.project.state, status },
      this.project.current(),
      isPressed,
    );
  }

  /**
   * @param {api.Place} place
   * @param {HTMLAudioElement} audio
   */
  drawProgress(place, audio) {
    if (!this.project.isCurrent(place)) return;
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
    const audio = this.player.audioOf(this.project.current());
    if (name === 'loop' && audio) audio.loop = value;
    this.project.dispatch({ type: 'resetClasses' });
    this.draw();
  }

  /** @param {string} order */
  setOrder(order) {
    this.options.order = order;
    remember('options', this.options);
    this.project.dispatch({ type: 'dropPrefetched', n_kept: 0 });
    this.project.refill().catch((error) => this.report(error));
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
    if (name === 'regions') this.regions.show(this.project.current());
    this.draw();
  }

  /* ---- keys ---- */

  isSeen() {
    return this.element.offsetParent !== null && !document.hidden;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (this.settings && this.isSeen() && this.isForQueue(event) && runKey(this, event))
      stop(event);
  }
}

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
  const update = () => desk.setSettings(props.value?.project ? props.value : null);
  new IntersectionObserver(() => desk.onVisibility()).observe(element);
  document.addEventListener('keydown', (event) => desk.onKey(event), true);
  watch('value', update);
  update();
}
