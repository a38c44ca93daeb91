// @ts-check
/* The part of the sound that the lanes show: one for all of them, so that they zoom and scroll
   together, and the segment that is selected on them. */

/** @typedef {{ from_s: number, to_s: number }} Span */
/** @typedef {{ duration_s: number, shown: Span, selected: Span | null }} ViewState */

const MAX_ZOOM = 20_000; // a browser's layout ends at some 30 million pixels
const MIN_SPAN_S = 0.05;

/** @type {ViewState} */
export const EMPTY_VIEW = { duration_s: 0, shown: { from_s: 0, to_s: 0 }, selected: null };

/**
 * A part of the sound, moved and widened until it lies within it and is long enough to be drawn.
 * @param {Span} wanted
 * @param {number} duration_s
 * @returns {Span}
 */
export function within(wanted, duration_s) {
  const least = Math.min(duration_s, Math.max(MIN_SPAN_S, duration_s / MAX_ZOOM));
  const length = Math.min(duration_s, Math.max(least, wanted.to_s - wanted.from_s));
  const middle = (wanted.from_s + wanted.to_s) / 2;
  const isTooShort = wanted.to_s - wanted.from_s < length;
  const start = isTooShort ? middle - length / 2 : wanted.from_s;
  const from_s = Math.max(0, Math.min(start, duration_s - length));
  return { from_s, to_s: from_s + length };
}

/**
 * Zoom by a factor (below 1 is closer), with one moment staying where it is.
 * @param {ViewState} state
 * @param {number} factor
 * @param {number} at_s
 * @returns {ViewState}
 */
export function zoomed(state, factor, at_s) {
  const { from_s, to_s } = state.shown;
  const wanted = { from_s: at_s - (at_s - from_s) * factor, to_s: at_s + (to_s - at_s) * factor };
  return { ...state, shown: within(wanted, state.duration_s) };
}

/**
 * @param {ViewState} state
 * @param {number} by_s
 * @returns {ViewState}
 */
export function scrolled(state, by_s) {
  const { from_s, to_s } = state.shown;
  const shown = within({ from_s: from_s + by_s, to_s: to_s + by_s }, state.duration_s);
  return { ...state, shown };
}

/**
 * The segment between two moments, in either order; nothing where they are the same.
 * @param {ViewState} state
 * @param {number} a_s
 * @param {number} b_s
 * @returns {ViewState}
 */
export function withSelection(state, a_s, b_s) {
  const [from_s, to_s] = [a_s, b_s]
    .map((s) => Math.max(0, Math.min(state.duration_s, s)))
    .sort((a, b) => a - b);
  return { ...state, selected: to_s > from_s ? { from_s, to_s } : null };
}

/**
 * What the keys of a plot do to the part that is shown; null for other keys.
 * @param {ViewState} state
 * @param {string} key
 * @param {number} at_s the moment that stays where it is
 * @returns {ViewState | null}
 */
export function afterKey(state, key, at_s) {
  const { from_s, to_s } = state.shown;
  const length = to_s - from_s;
  if (key === '+' || key === '=') return zoomed(state, 0.5, at_s);
  if (key === '-') return zoomed(state, 2, at_s);
  if (key === '0') return { ...state, shown: { from_s: 0, to_s: state.duration_s } };
  if (key === 'Home') return scrolled(state, -from_s);
  if (key === 'End') return scrolled(state, state.duration_s - to_s);
  if (key === 'PageUp') return scrolled(state, -0.9 * length);
  if (key === 'PageDown') return scrolled(state, 0.9 * length);
  return null;
}

/** The state, and who is told when it changes. */
export function createTimeView() {
  let state = EMPTY_VIEW;
  /** @type {Set<(state: ViewState) => void>} */
  const listeners = new Set();
  return {
    state: () => state,
    /** @param {ViewState} next */
    set: (next) => {
      if (next === state) return;
      state = next;
      for (const listener of [...listeners]) listener(state);
    },
    /**
     * Another sound: all of it.
     * @param {number} duration_s
     */
    reset(duration_s) {
      this.set({ duration_s, shown: { from_s: 0, to_s: duration_s }, selected: null });
    },
    /**
     * @param {(state: ViewState) => void} listener
     * @param {AbortSignal} [signal]
     */
    follow(listener, signal) {
      listeners.add(listener);
      signal?.addEventListener('abort', () => listeners.delete(listener));
      listener(state);
    },
  };
}

/** @typedef {ReturnType<typeof createTimeView>} TimeView */
