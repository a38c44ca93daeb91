// @ts-check
/* One sound at a time, and one playhead: whatever starts stops what played before, and the lanes
   show where it is.

   Gradio's players keep their audio elements to themselves: their events say when they start and
   stop, and the cursor that they draw says where they are. */

/** Whatever plays, and how it is stopped. @typedef {{ pause: () => void }} Source */

const root = document.documentElement;
export const player = new Audio();
/** @type {Source} */
let active = player; // whichever started last
let duration_s = 0; // of the sound that the lanes show
let url = '';

/** @param {Source} source */
export function claim(source) {
  if (source !== active) active.pause();
  active = source;
}

/** @param {number} fraction */
function setPlayhead(fraction) {
  root.style.setProperty('--audioclf-at', String(Math.min(1, fraction)));
}

/** @param {number} time */
const placePlayhead = (time) => setPlayhead(duration_s ? time / duration_s : 0);

/** @param {HTMLMediaElement} media */
function follow(media) {
  const isShown = Math.abs((media.duration || 0) - duration_s) < 0.25;
  if (media !== active || !duration_s || !isShown) return;
  placePlayhead(media.currentTime);
  if (media === player) endSegment();
  if (!media.paused && !media.ended) requestAnimationFrame(() => follow(media));
}

/** @param {HTMLMediaElement} media */
function started(media) {
  claim(media);
  requestAnimationFrame(() => follow(media));
}
player.addEventListener('play', () => started(player));
player.addEventListener('seeking', () => follow(player));
// Players that are elements of the page; events of media do not bubble, but they are captured.
for (const name of ['play', 'seeking']) {
  document.addEventListener(
    name,
    ({ target }) => {
      if (!(target instanceof HTMLMediaElement)) return;
      if (name === 'play') started(target);
      else follow(target);
    },
    true,
  );
}

/* ---- the sound that the lanes show ---- */

/** @param {number} time */
export function playFrom(time) {
  if (!duration_s) return;
  segment = null;
  placePlayhead(time);
  player.currentTime = time;
  player.play().catch(() => {});
}

/** The segment that plays, and whether it is repeated. @type {{ from_s: number, to_s: number, isLooped: boolean } | null} */
let segment = null;

/**
 * Play a segment, once or again and again.
 * @param {number} from_s
 * @param {number} to_s
 * @param {boolean} isLooped
 */
export function playSegment(from_s, to_s, isLooped = false) {
  playFrom(from_s);
  segment = { from_s, to_s, isLooped };
}

/** At the end of its segment, the player goes back or stops. */
function endSegment() {
  if (!segment || player.currentTime < segment.to_s) return;
  if (segment.isLooped) player.currentTime = segment.from_s;
  else {
    segment = null;
    player.pause();
  }
}
player.addEventListener('timeupdate', endSegment);
player.addEventListener('pause', () => {
  segment = null;
});

export const isPlaying = () => !player.paused && !player.ended;

/** @param {number} time */
export function togglePlay(time) {
  if (isPlaying()) player.pause();
  else playFrom(time);
}

/**
 * Another sound, or the same one again.
 * @param {string} newUrl
 * @param {number} seconds
 */
export function load(newUrl, seconds) {
  duration_s = seconds;
  if (newUrl === url) return;
  url = newUrl;
  player.pause();
  player.src = url;
  placePlayhead(0);
}

/** No sound is shown any more. */
export function unload() {
  duration_s = 0;
  if (url) {
    url = '';
    player.pause();
    player.removeAttribute('src');
    player.load();
  }
  placePlayhead(0);
  if (active !== player) active.pause();
}

/* ---- Gradio's players ---- */

class GradioPlayer {
  /** @param {string} id of its component */
  constructor(id) {
    this.id = id;
    this.isPlaying = false;
    this.label = ''; // of its button while it plays, in the language of the page
    this.cursor = new MutationObserver(() => this.follow());
  }

  /** @param {string} selector */
  find(selector) {
    return document.querySelector(`#${this.id} .component-wrapper:not(.hidden) ${selector}`);
  }

  findCursor() {
    const cursor = this.find('#waveform > div')?.shadowRoot?.querySelector('[part~="cursor"]');
    return cursor instanceof HTMLElement ? cursor : null;
  }

  start() {
    const button = this.find('.play-pause-button');
    if (!button) return;
    this.isPlaying = true;
    claim(this);
    requestAnimationFrame(() => {
      this.label = button.getAttribute('aria-label') || '';
    });
    const cursor = this.findCursor();
    if (cursor) this.cursor.observe(cursor, { attributes: true, attributeFilter: ['style'] });
  }

  stop() {
    this.isPlaying = false;
  }

  pause() {
    const button = this.find('.play-pause-button');
    const isItsPause = button?.getAttribute('aria-label') === this.label; // else it was drawn anew
    if (this.isPlaying && isItsPause && button instanceof HTMLElement) button.click();
    this.isPlaying = false;
  }

  /** The page shows its length in whole seconds. */
  follow() {
    const parts = (this.find('#duration')?.textContent || '').split(':').map(Number);
    const length_s = parts.reduce((sum, part) => 60 * sum + part, 0);
    if (active !== this || !duration_s || !(Math.abs(length_s - duration_s) <= 1)) return;
    const left = Number.parseFloat(this.findCursor()?.style.left || '');
    if (!Number.isNaN(left)) setPlayhead(left / 100);
  }
}

/** @type {Map<string, GradioPlayer>} */
const gradioPlayers = new Map();

/**
 * What Gradio's events say of one of its players.
 * @param {string} id
 * @param {'play' | 'pause' | 'stop'} event
 */
export function gradioPlayer(id, event) {
  const known = gradioPlayers.get(id) || new GradioPlayer(id);
  gradioPlayers.set(id, known);
  if (event === 'play') known.start();
  else known.stop();
}
