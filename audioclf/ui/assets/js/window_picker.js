// @ts-check
/* The window that is looked at: chosen with mouse and keyboard, with its classes below. */
import { bars, boxOf, displayName, make, percent } from './dom.js';
import { isPlaying, player, playFrom, togglePlay } from './playback.js';
import { secondsAt } from './plot.js';

/** @typedef {import('./dom.js').Ranked} Ranked */
/** @typedef {{ start_s: number, end_s: number }} Window */

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
 * @param {{ file: string, duration_s: number, windows: Window[] }} value
 * @param {(index: number) => Ranked[]} rankingOf
 * @param {AbortSignal} signal
 */
export function windowPicker(element, plot, value, rankingOf, signal) {
  const { windows, duration_s } = value;
  const n = windows.length;
  const file = value.file + duration_s;
  if (remembered.file !== file) Object.assign(remembered, { file, time: 0 });
  let index = -1;
  const mark = make('div', 'ac-chosen');
  plot.append(mark);
  const panel = make('div', 'ac-panel');
  const back = make('button', 'ac-step', '◀');
  const forward = make('button', 'ac-step', '▶');
  const play = playButton(signal);
  const when = make('span', 'ac-when');
  back.setAttribute('aria-label', 'Previous window');
  forward.setAttribute('aria-label', 'Next window');
  const row = make('div', 'ac-where');
  row.append(back, when, forward, play);
  const detail = make('div');
  panel.append(row, detail);
  boxOf(element).append(panel);
  makeSlider(plot, n);

  /**
   * @param {number} wanted
   * @param {boolean} isPlayed
   */
  function pick(wanted, isPlayed) {
    index = Math.max(0, Math.min(n - 1, wanted));
    const { start_s, end_s } = windows[index];
    remembered.time = start_s;
    const ranking = rankingOf(index);
    mark.style.left = `${(100 * start_s) / duration_s}%`;
    mark.style.width = `${(100 * (end_s - start_s)) / duration_s}%`;
    when.textContent = `Window ${index + 1} of ${n}: ${start_s.toFixed(2)} to ${end_s.toFixed(2)} s`;
    const best = `${displayName(ranking[0].class)}, ${percent(ranking[0].probability)}`;
    plot.setAttribute('aria-valuenow', String(index + 1));
    plot.setAttribute('aria-valuetext', `${when.textContent}: ${best}`);
    detail.replaceChildren(bars(ranking.slice(0, 5)));
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
      pick(windowAt(secondsAt(plot, event, duration_s)), true);
    },
    true,
  );
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -n, End: n };
  plot.addEventListener('keydown', (event) => {
    if (steps[event.key]) pick(index + steps[event.key], false);
    else if (event.key === 'Enter') pick(index, true);
    else if (event.key === ' ') togglePlay(windows[index].start_s);
    else if (event.key === 'Escape') player.pause();
    else return;
    event.preventDefault();
  });
  pick(windowAt(remembered.time), false);
  return panel;
}
