// @ts-check
/* Lanes: waveform, spectrogram and windows under each other on one time axis, and one playhead. */
import { compare } from './compare.js';
import {
  bars,
  boxOf,
  clearBox,
  displayName,
  legendItem,
  legendRest,
  make,
  showEmpty,
  showError,
} from './dom.js';
import { heatmap, searchableRanking } from './heatmap.js';
import { load, unload } from './playback.js';
import { canvas, drawPeaks, drawPictures, frame } from './plot.js';
import { windowPicker } from './window_picker.js';

/** @typedef {import('./dom.js').Ranked} Ranked */
/**
 * @typedef {import('./plot.js').Axes & {
 *   title: string, peaks: import('./plot.js').Peaks, audio?: { url: string },
 *   stretches?: [start_s: number, end_s: number][],
 * }} WaveformValue
 */
/** @typedef {{ error?: string, sentence: string, ranking?: Ranked[], many?: boolean }} Answer */
/**
 * @typedef {{
 *   file: string, title: string, duration_s: number,
 *   windows: { start_s: number, end_s: number, probabilities: number[] }[],
 *   classes: string[], colours: string[], top: number[],
 * }} WindowsValue `top` are the numbers of the classes that get their colour
 */

/**
 * @param {Element} element
 * @param {WaveformValue | null} value
 */
function waveform(element, value) {
  if (!value) {
    if (element.closest('#lane-waveform')) unload();
    return showEmpty(element);
  }
  if (value.audio) load(value.audio.url, value.duration_s);
  const plot = frame(clearBox(element), value.title, value);
  plot.classList.add('ac-waveform');
  for (const [start_s, end_s] of value.stretches || []) {
    const mark = make('div', 'ac-stretch');
    mark.style.left = `${(100 * start_s) / value.duration_s}%`;
    mark.style.width = `${(100 * (end_s - start_s)) / value.duration_s}%`;
    plot.append(mark);
  }
  drawPeaks(plot, value);
}

/**
 * @param {Element} element
 * @param {import('./plot.js').Axes & { pictures: import('./plot.js').Picture[] } | null} value
 */
function spectrogram(element, value) {
  if (value) drawPictures(clearBox(element), value);
  else showEmpty(element);
}

/**
 * The clip's class in words, and the ranking.
 * @param {Element} element
 * @param {Answer | null} value
 */
function answer(element, value) {
  if (!value) return;
  if (value.error) return showError(element, value.error);
  const { ranking } = value;
  if (!ranking) return showEmpty(element, value.sentence);
  const box = clearBox(element);
  const sentence = make('p', 'ac-sentence', value.sentence);
  sentence.setAttribute('role', 'status');
  box.append(sentence);
  if (value.many) return box.append(searchableRanking(ranking));
  box.append(bars(ranking.slice(0, 5)));
  if (ranking.length <= 5) return;
  const rest = make('details', 'ac-rest');
  rest.append(make('summary', '', `all ${ranking.length} classes`), bars(ranking.slice(5)));
  box.append(rest);
}

/**
 * The windows' classes, stacked.
 * @param {WindowsValue} value
 * @returns {import('./plot.js').Paint}
 */
function paintStacks({ windows, duration_s, top, colours }) {
  return (pen, width, height, style) => {
    const scale = width / duration_s;
    windows.forEach((w, i) => {
      const left = w.start_s * scale;
      const right = Math.min(windows[i + 1]?.start_s ?? Infinity, w.end_s) * scale;
      const gap = right - left > 8 ? 1.5 : 0;
      let floor = height;
      /**
       * @param {number} p
       * @param {string} colour
       */
      const stack = (p, colour) => {
        pen.fillStyle = colour;
        pen.fillRect(left, floor - p * height, Math.max(right - left - gap, 0.6), p * height);
        floor -= p * height;
      };
      for (const c of top) stack(w.probabilities[c], colours[c]);
      stack(Math.max(0, floor / height), style.getPropertyValue('--ac-rest'));
    });
  };
}

/**
 * @param {Element} element
 * @param {WindowsValue | import('./heatmap.js').HeatmapValue | null} value
 * @param {AbortSignal} signal
 */
function windows(element, value, signal) {
  if (!value?.windows) return showEmpty(element);
  if ('rows' in value) return heatmap(element, value, signal);
  const { classes, colours, top } = value;
  const plot = frame(clearBox(element), value.title, {
    duration_s: value.duration_s,
    ticks: [
      { at: 0, label: '0' },
      { at: 0.5, label: '50 %' },
      { at: 1, label: '100 %' },
    ],
  });
  plot.classList.add('ac-windows');
  canvas(plot, paintStacks(value));
  const legend = make('div', 'ac-legend');
  for (const c of top) legend.append(legendItem(colours[c], displayName(classes[c])));
  if (classes.length > top.length) legend.append(legendRest('other classes'));
  boxOf(element).append(legend);
  /** @param {number} i */
  const rankingOf = (i) =>
    value.windows[i].probabilities
      .map((probability, c) => ({ class: classes[c], probability, colour: colours[c] }))
      .sort((a, b) => b.probability - a.probability);
  windowPicker(element, plot, value, rankingOf, signal);
}

const LANES = { waveform, spectrogram, answer, windows, compare };

/**
 * Draw a lane now and whenever its value changes.
 * @param {keyof typeof LANES} kind
 * @param {Element} element
 * @param {{ value: any }} props what the server sent; each lane says what it takes
 * @param {(name: string, callback: () => void) => void} watch
 */
export function startLane(kind, element, props, watch) {
  let drawn = new AbortController();
  const draw = () => {
    drawn.abort(); // nothing listens for a lane that is not there any more
    drawn = new AbortController();
    LANES[kind](element, props.value, drawn.signal);
  };
  watch('value', draw);
  draw();
}
