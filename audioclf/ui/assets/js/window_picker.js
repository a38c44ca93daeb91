// @ts-check
/* The window that is looked at: chosen with mouse and keyboard, with its classes below. */
import { bars, boxOf, displayName, make, percent } from './dom.js';
import { askToExplain } from './explanation.js';
import { isPlaying, player, playFrom, togglePlay } from './playback.js';
import { layerOf, place, secondsAt } from './plot.js';
import { afterKey, scrolled, withSelection } from './time_view.js';

/** @typedef {import('./dom.js').Ranked} Ranked */
/** @typedef {{ start_s: number, end_s: number }} Window */

const QUIET = 'Quiet: nothing here is loud enough to be judged.';
const UNFAMILIAR = 'Unlike anything this model was trained on: what follows is only the nearest.';
const remembered = { file: '', time: 0 }; // the chosen moment, while the sound is the same

/**
 * A label that follows playback until the lane is drawn anew.
 * @param {AbortSignal} signal
 */
function playButton(signal) {
  const play = make('button', 'ac-step ac-play');
  const update = () => {
    play.textContent = isPlaying() ? 'Pause' : 'Play';
  };
  for (const event of ['play', 'pause', 'ended'])
    player.addEventListener(event, update, { signal });
  update();
  return play;
}

/**
 * Scroll as far as it takes to see a window.
 * @param {import('./time_view.js').TimeView} view
 * @param {number} start_s
 * @param {number} end_s
 */
function bringIntoSight(view, start_s, end_s) {
  const { from_s, to_s } = view.state().shown;
  if (start_s < from_s) view.set(scrolled(view.state(), start_s - from_s));
  else if (end_s > to_s) {
    view.set(scrolled(view.state(), Math.min(end_s - to_s, start_s - from_s)));
  }
}

/**
 * @param {HTMLElement} plot
 * @param {number} n
 */
function makeSlider(plot, n) {
  plot.tabIndex = 0;
  plot.setAttribute('role', 'slider');
  plot.setAttribute('aria-label', 'Window');
  plot.setAttribute('aria-valuemin', '1');
  plot.setAttribute('aria-valuemax', String(n));
}

/**
 * @param {Element} element
 * @param {HTMLElement} plot
 * @param {{ file: string, duration_s: number, windows: Window[], quiet: number[], unfamiliar: number[] }} value
 * @param {(index: number) => Ranked[]} rankingOf
 * @param {import('./plot.js').Time} time
 */
export function windowPicker(element, plot, value, rankingOf, time) {
  const { view, signal } = time;
  const { windows, duration_s } = value;
  const n = windows.length;
  const file = value.file + duration_s;
  if (remembered.file !== file) Object.assign(remembered, { file, time: 0 });
  let index = -1;
  const mark = make('div', 'ac-chosen');
  layerOf(plot).append(mark);
  const panel = make('div', 'ac-panel');
  const back = make('button', 'ac-step', '◀');
  const forward = make('button', 'ac-step', '▶');
  const play = playButton(signal);
  const when = make('span', 'ac-when');
  back.setAttribute('aria-label', 'Previous window');
  forward.setAttribute('aria-label', 'Next window');
  const row = make('div', 'ac-where');
  const select = make('button', 'ac-step', 'Select');
  select.title = 'Select this window: to loop it, to predict it alone, to label it';
  select.addEventListener('click', () => {
    const { start_s, end_s } = windows[index];
    view.set(withSelection(view.state(), start_s, end_s));
  });
  const why = make('button', 'ac-step ac-explain', 'Explain');
  why.title = 'Draw over the spectrogram what the answer for this window rests on';
  why.addEventListener('click', () => {
    const { start_s, end_s } = windows[index];
    askToExplain({ from_s: start_s, to_s: end_s });
  });
  row.append(back, when, forward, play, select, why);
  const detail = make('div');
  panel.append(row, detail);
  boxOf(element).append(panel);
  makeSlider(plot, n);

  /**
   * @param {number} wanted
   * @param {boolean} isPlayed
   * @param {boolean} isPicked by a person: then it is brought into sight
   */
  function pick(wanted, isPlayed, isPicked = true) {
    index = Math.max(0, Math.min(n - 1, wanted));
    const { start_s, end_s } = windows[index];
    remembered.time = start_s;
    const ranking = rankingOf(index);
    place(mark, start_s, end_s, duration_s);
    if (isPicked) bringIntoSight(view, start_s, end_s);
    when.textContent = `Window ${index + 1} of ${n}: ${start_s.toFixed(2)} to ${end_s.toFixed(2)} s`;
    const isQuiet = value.quiet.includes(index);
    const isUnfamiliar = value.unfamiliar.includes(index);
    const best = isQuiet
      ? 'quiet'
      : `${isUnfamiliar ? 'unfamiliar, nearest ' : ''}${displayName(ranking[0].class)}, ${percent(ranking[0].probability)}`;
    plot.setAttribute('aria-valuenow', String(index + 1));
    plot.setAttribute('aria-valuetext', `${when.textContent}: ${best}`);
    detail.replaceChildren(isQuiet ? make('p', 'ac-empty', QUIET) : bars(ranking.slice(0, 5)));
    if (isUnfamiliar && !isQuiet) detail.prepend(make('p', 'ac-warning', UNFAMILIAR));
    detail.classList.toggle('ac-doubted', isUnfamiliar);
    back.disabled = index === 0;
    forward.disabled = index === n - 1;
    if (isPlayed) playFrom(start_s);
  }
  /** @param {number} time */
  const windowAt = (time) => {
    const after = windows.findIndex((w) => w.start_s > time + 1e-6);
    return after < 0 ? n - 1 : Math.max(0, after - 1);
  };
  back.addEventListener('click', () => pick(index - 1, true));
  forward.addEventListener('click', () => pick(index + 1, true));
  play.addEventListener('click', () => togglePlay(windows[index].start_s));
  plot.addEventListener(
    'click',
    (event) => {
      event.stopImmediatePropagation();
      pick(windowAt(secondsAt(plot, event, duration_s, time)), true);
    },
    true,
  );
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -n, End: n };
  plot.addEventListener('keydown', (event) => {
    const zoom = '+=-0'.includes(event.key) && afterKey(view.state(), event.key, remembered.time);
    if (steps[event.key]) pick(index + steps[event.key], false);
    else if (event.key === 'Enter') pick(index, true);
    else if (event.key === ' ') togglePlay(windows[index].start_s);
    else if (event.key === 'Escape') player.pause();
    else if (zoom) view.set(zoom);
    else return;
    event.preventDefault();
  });
  pick(windowAt(remembered.time), false, false);
  return panel;
}
