// @ts-check
/* Closer looks at a sound: what is zoomed in on is asked for in pages, a little more than is seen,
   so that an hour is as quick as a minute. */

/**
 * @typedef {{
 *   from_s: number, to_s: number, peaks: import('./plot.js').Peaks, images: string[],
 * }} Page
 */
/** @typedef {import('./time_view.js').Span} Span */

const ASKED_AFTER_MS = 120; // of rest
const MARGIN = 0.5; // of what is shown, on both sides
const TOO_COARSE = 5; // a page that is so many times as long as what is shown

/**
 * The page to ask for; null where the one that is there will do, or the whole is in sight.
 * @param {import('./time_view.js').ViewState} state
 * @param {Span | null} page
 * @returns {Span | null}
 */
export function pageToAsk({ duration_s, shown: { from_s, to_s } }, page) {
  const length = to_s - from_s;
  if (!duration_s || length > 0.98 * duration_s) return null;
  const isCovered =
    page &&
    page.from_s <= from_s + 1e-6 &&
    page.to_s >= to_s - 1e-6 &&
    page.to_s - page.from_s < TOO_COARSE * length;
  if (isCovered) return null;
  const margin = MARGIN * length;
  return { from_s: Math.max(0, from_s - margin), to_s: Math.min(duration_s, to_s + margin) };
}

/**
 * The page that is there, who is told of another one, and when one is asked for.
 * @param {import('./time_view.js').TimeView} view
 */
export function createPages(view) {
  /** @type {Page | null} */
  let page = null;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /** @type {(span: Span) => void} */
  let ask = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const askSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const wanted = pageToAsk(view.state(), page);
      if (wanted) ask(wanted);
    }, ASKED_AFTER_MS);
  };
  view.follow(askSoon);
  return {
    page: () => page,
    /** @param {Page | null} next */
    set(next) {
      page = next;
      for (const listener of [...listeners]) listener();
    },
    /** Other settings, or another sound: what is there is none of it. */
    clear() {
      this.set(null);
      askSoon();
    },
    /** @param {(span: Span) => void} asker */
    askWith(asker) {
      ask = asker;
    },
    /**
     * @param {() => void} listener
     * @param {AbortSignal} signal
     */
    follow(listener, signal) {
      listeners.add(listener);
      signal.addEventListener('abort', () => listeners.delete(listener));
      listener();
    },
  };
}

/** @typedef {ReturnType<typeof createPages>} Pages */
