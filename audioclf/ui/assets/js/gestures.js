// @ts-check
/* Wheel, pinch, drag and keys on a plot: they zoom and scroll the time view, and select. */
import { isPlaying, player, togglePlay } from './playback.js';
import { afterKey, scrolled, withSelection, zoomed } from './time_view.js';

/** @typedef {import('./time_view.js').TimeView} TimeView */

const DRAGGED_PX = 4; // less is a click
const WHEEL_PX = 400; // of a wheel's turn that double or halve what is shown
const ARROW = 0.1; // of what is shown, that an arrow scrolls

/**
 * @param {HTMLElement} plot
 * @param {TimeView} view
 * @param {AbortSignal} signal
 */
export function bindGestures(plot, view, signal) {
  const options = { signal };
  plot.classList.add('ac-zooms');
  plot.addEventListener('wheel', (event) => turnWheel(plot, view, event), {
    signal,
    passive: false,
  });
  const drag = createDrag(plot, view);
  plot.addEventListener('pointerdown', drag.down, options);
  plot.addEventListener('pointermove', drag.move, options);
  for (const name of /** @type {const} */ (['pointerup', 'pointercancel']))
    plot.addEventListener(name, drag.up, options);
  plot.addEventListener('click', drag.click, { signal, capture: true });
}

/**
 * @param {HTMLElement} plot
 * @param {TimeView} view
 * @param {number} clientX
 */
function momentAt(plot, view, clientX) {
  const box = plot.getBoundingClientRect();
  const { from_s, to_s } = view.state().shown;
  return from_s + ((to_s - from_s) * (clientX - box.left)) / box.width;
}

/**
 * Turned up and down it zooms, sideways or with Shift it scrolls. Where nothing is closer or farther
 * the page scrolls.
 * @param {HTMLElement} plot
 * @param {TimeView} view
 * @param {WheelEvent} event
 */
function turnWheel(plot, view, event) {
  const before = view.state();
  const { from_s, to_s } = before.shown;
  const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  const px = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 32 : 1;
  const turned = px * (isSideways ? event.deltaX || event.deltaY : event.deltaY);
  const after = isSideways
    ? scrolled(before, ((to_s - from_s) * turned) / plot.clientWidth)
    : zoomed(
        before,
        2 ** ((turned * (event.ctrlKey ? 4 : 1)) / WHEEL_PX),
        momentAt(plot, view, event.clientX),
      );
  const isSame = after.shown.from_s === from_s && after.shown.to_s === to_s;
  if (isSame && !event.ctrlKey) return;
  event.preventDefault();
  view.set(after);
}

/**
 * One pointer selects (a finger scrolls what is zoomed), two pinch.
 * @param {HTMLElement} plot
 * @param {TimeView} view
 */
function createDrag(plot, view) {
  /** @type {Map<number, number>} */
  const pointers = new Map(); // where each is, sideways
  let start_s = 0;
  let startX = 0;
  let isDragged = false;

  /** @param {PointerEvent} event */
  function down(event) {
    if (event.button) return;
    pointers.set(event.pointerId, event.clientX);
    if (pointers.size > 1) return;
    [startX, isDragged] = [event.clientX, false];
    start_s = momentAt(plot, view, startX);
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    const state = view.state();
    if (other !== undefined) {
      isDragged = true;
      const factor =
        Math.max(8, Math.abs(before - other)) / Math.max(8, Math.abs(event.clientX - other));
      view.set(zoomed(state, factor, momentAt(plot, view, (event.clientX + other) / 2)));
    } else if (isDragged || Math.abs(event.clientX - startX) > DRAGGED_PX) {
      if (!isDragged) plot.setPointerCapture(event.pointerId);
      isDragged = true;
      const { from_s, to_s } = state.shown;
      const isScrolled = event.pointerType === 'touch' && to_s - from_s < state.duration_s;
      if (isScrolled) {
        view.set(scrolled(state, ((to_s - from_s) * (before - event.clientX)) / plot.clientWidth));
      } else view.set(withSelection(state, start_s, momentAt(plot, view, event.clientX)));
    }
    pointers.set(event.pointerId, event.clientX);
  }

  /** @param {PointerEvent} event */
  const up = (event) => void pointers.delete(event.pointerId);

  /** @param {MouseEvent} event what ends a drag is no click */
  function click(event) {
    if (isDragged) event.stopImmediatePropagation();
    isDragged = false;
  }
  return { down, move, up, click };
}

/**
 * Make a plot one that the keyboard reaches: it zooms and scrolls, plays and selects.
 * @param {HTMLElement} plot
 * @param {TimeView} view
 * @param {string} name
 * @param {AbortSignal} signal
 */
export function bindKeys(plot, view, name, signal) {
  plot.tabIndex = 0;
  plot.setAttribute('role', 'group');
  plot.setAttribute('aria-label', `${name}: plus and minus zoom, arrows scroll, space plays`);
  plot.addEventListener(
    'keydown',
    (event) => {
      const state = view.state();
      const length = state.shown.to_s - state.shown.from_s;
      const at_s = player.currentTime;
      const isSeen = at_s >= state.shown.from_s && at_s <= state.shown.to_s;
      const after = afterKey(state, event.key, isSeen ? at_s : state.shown.from_s + length / 2);
      const { from_s, to_s } = state.selected || { from_s: at_s, to_s: state.duration_s };
      if (after) view.set(after);
      else if (event.key === 'ArrowLeft') view.set(scrolled(state, -ARROW * length));
      else if (event.key === 'ArrowRight') view.set(scrolled(state, ARROW * length));
      else if (event.key === '[') view.set(withSelection(state, at_s, Math.max(to_s, at_s)));
      else if (event.key === ']') view.set(withSelection(state, Math.min(from_s, at_s), at_s));
      else if (event.key === ' ') togglePlay(at_s);
      else if (event.key === 'Escape' && isPlaying()) player.pause();
      else if (event.key === 'Escape') view.set({ ...state, selected: null });
      else return;
      event.preventDefault();
    },
    { signal },
  );
}
