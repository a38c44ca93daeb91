// @ts-check
/* Lanes: waveform, spectrogram and windows under each other on one time axis, and one playhead. */
import { compare } from './compare.js';
import {
  announce,
  bars,
  boxOf,
  clearBox,
  displayName,
  hatch,
  legendHatched,
  legendItem,
  legendRest,
  legendTrimmed,
  make,
  showEmpty,
  showError,
} from './dom.js';
import { eventList } from './events.js';
import { explainWith, explanation, overlayOn } from './explanation.js';
import { bindKeys } from './gestures.js';
import { heatmap, searchableRanking } from './heatmap.js';
import { createPages } from './pages.js';
import { load, unload } from './playback.js';
import { canvas, drawPeaks, drawPictures, frame, layerOf, markTrimmed, place } from './plot.js';
import { createTimeView } from './time_view.js';
import { drawTimeline } from './timeline.js';
import { windowPicker } from './window_picker.js';

/** @typedef {import('./dom.js').Ranked} Ranked */
/**
 * @typedef {import('./plot.js').Axes & {
 *   title: string, peaks: import('./plot.js').Peaks, loudest: number, audio?: { url: string },
 *   stretches?: [start_s: number, end_s: number][],
 *   sounding?: [start_s: number, end_s: number],
 * }} WaveformValue `sounding` is what is left when the silence at both ends is trimmed
 */
/**
 * @typedef {{
 *   error?: string, sentence: string, ranking?: Ranked[], many?: boolean, welcome?: boolean,
 *   is_unreadable?: boolean, is_unfamiliar?: boolean,
 *   progress?: string, warning?: string | null, knows?: string, events?: import('./events.js').Events,
 * }} Answer
 */
/**
 * @typedef {{
 *   file: string, title: string, duration_s: number,
 *   windows: { start_s: number, end_s: number, probabilities: number[] }[],
 *   classes: string[], colours: string[], top: number[], quiet: number[], unfamiliar: number[],
 * }} WindowsValue `top` are the numbers of the classes that get their colour
 */

const N_RANKED = 5; // classes of the answer that have a bar at once

/** The part of the sound that Classify's lanes show. */
export const timeView = createTimeView();
const pages = createPages(timeView);
/** What full height and full colour stand for, so that a closer look has the same. */
const scales = { loudest: 1, references_db: /** @type {number[]} */ ([]) };

/**
 * @param {Element} element
 * @param {WaveformValue | null} value
 * @param {AbortSignal} signal
 */
function waveform(element, value, signal) {
  const isMain = element.closest('#lane-waveform');
  if (!value) {
    if (isMain) {
      unload();
      timeView.reset(0);
    }
    return showEmpty(element);
  }
  if (value.audio) load(value.audio.url, value.duration_s);
  if (isMain) {
    timeView.reset(value.duration_s);
    scales.loudest = value.loudest;
    pages.clear();
  }
  const axes = { ...value, time: { view: timeView, signal } };
  const plot = frame(clearBox(element), value.title, axes);
  plot.classList.add('ac-waveform');
  if (isMain) bindKeys(plot, timeView, 'Waveform', signal);
  for (const [start_s, end_s] of value.stretches || []) {
    const mark = make('div', 'ac-stretch');
    place(mark, start_s, end_s, value.duration_s);
    layerOf(plot).append(mark);
  }
  drawPeaks(plot, axes, pages);
  const [from_s, to_s] = value.sounding || [0, value.duration_s];
  if (markTrimmed(plot, { from_s, to_s }, value.duration_s)) {
    const legend = make('div', 'ac-legend');
    legend.append(legendTrimmed());
    boxOf(element).append(legend);
  }
}

/**
 * @param {Element} element
 * @param {import('./plot.js').Axes & {
 *   pictures: import('./plot.js').Picture[], references_db: number[],
 * } | null} value
 * @param {AbortSignal} signal
 */
function spectrogram(element, value, signal) {
  if (!value) return showEmpty(element);
  scales.references_db = value.references_db;
  pages.clear();
  const box = clearBox(element);
  drawPictures(box, { ...value, time: { view: timeView, signal } }, pages);
  overlayOn(box.querySelectorAll('.ac-plot'), value.duration_s);
}

/**
 * The clip's class in words, and the ranking.
 * @param {Element} element
 * @param {Answer | null} value
 */
function answer(element, value) {
  if (!value) return;
  if (value.error) {
    showError(element, value.error);
    if (value.is_unreadable) boxOf(element).firstElementChild?.classList.add('ac-unreadable');
    return;
  }
  const { ranking } = value;
  const box = clearBox(element);
  if (value.welcome) return box.append(make('p', 'ac-empty ac-welcome', value.sentence));
  announce(value.progress ? '' : value.sentence);
  if (!ranking) return box.append(make('p', 'ac-empty', value.sentence));
  const words = make('div', 'ac-words');
  const sentence = make('h2', 'ac-sentence', value.sentence);
  words.append(sentence);
  if (value.events && (value.events.items.length || value.events.unknown.length))
    words.append(eventList(value.events, timeView));
  if (value.progress) words.append(make('p', 'ac-empty ac-note', value.progress));
  if (value.warning) words.append(make('p', 'ac-warning', value.warning));
  if (value.knows) words.append(knownClasses(value.knows, ranking));
  const grid = make('div', 'ac-answer');
  grid.classList.toggle('ac-doubted', Boolean(value.is_unfamiliar));
  grid.append(words, value.many ? searchableRanking(ranking) : rankingOf(ranking));
  box.append(grid);
}

/**
 * What the model knows: one line that opens, with every class in it.
 * @param {string} text
 * @param {Ranked[]} ranking of all classes
 */
function knownClasses(text, ranking) {
  const block = make('details', 'ac-knows');
  const names = ranking.map((row) => displayName(row.class)).sort((a, b) => a.localeCompare(b));
  block.append(make('summary', '', text), make('p', 'ac-all', names.join(', ')));
  return block;
}

/** @param {Ranked[]} ranking */
function rankingOf(ranking) {
  const block = make('div');
  block.append(bars(ranking.slice(0, N_RANKED)));
  if (ranking.length <= N_RANKED) return block;
  const rest = make('details', 'ac-rest');
  const summary = make('summary', '', `all ${ranking.length} classes`);
  rest.append(summary, bars(ranking.slice(N_RANKED)));
  block.append(rest);
  return block;
}

/**
 * The windows' classes, stacked.
 * @param {WindowsValue} value
 * @returns {import('./plot.js').Paint}
 */
function paintStacks({ windows, top, colours, quiet, unfamiliar }) {
  const isQuiet = new Set(quiet);
  const isUnfamiliar = new Set(unfamiliar);
  return (pen, width, height, style, xOf) => {
    windows.forEach((w, i) => {
      const left = xOf(w.start_s);
      const right = xOf(Math.min(windows[i + 1]?.start_s ?? Infinity, w.end_s));
      if (right < 0 || left > width) return;
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
      if (!isQuiet.has(i)) for (const c of top) stack(w.probabilities[c], colours[c]);
      stack(Math.max(0, floor / height), style.getPropertyValue('--ac-rest'));
      if (isUnfamiliar.has(i)) hatch(pen, left, right - gap, height, style);
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
  if ('rows' in value) return heatmap(element, value, { view: timeView, signal });
  const { classes, colours, top } = value;
  const time = { view: timeView, signal };
  const axes = {
    duration_s: value.duration_s,
    time,
    ticks: [
      { at: 0, label: '0' },
      { at: 0.5, label: '50 %' },
      { at: 1, label: '100 %' },
    ],
  };
  const plot = frame(clearBox(element), value.title, axes);
  plot.classList.add('ac-windows');
  canvas(plot, paintStacks(value), axes);
  const predicted = { from_s: value.windows[0].start_s, to_s: value.windows.at(-1)?.end_s ?? 0 };
  const isTrimmed = markTrimmed(plot, predicted, value.duration_s);
  const legend = make('div', 'ac-legend');
  for (const c of top) legend.append(legendItem(colours[c], displayName(classes[c])));
  if (classes.length > top.length) legend.append(legendRest('other classes'));
  if (value.quiet.length) legend.append(legendRest('quiet'));
  if (value.unfamiliar.length) legend.append(legendHatched('unfamiliar'));
  if (isTrimmed) legend.append(legendTrimmed());
  boxOf(element).append(legend);
  /** @param {number} i */
  const rankingOfWindow = (i) =>
    value.windows[i].probabilities
      .map((probability, c) => ({ class: classes[c], probability, colour: colours[c] }))
      .sort((a, b) => b.probability - a.probability);
  windowPicker(element, plot, value, rankingOfWindow, time);
}

/**
 * @param {Element} element
 * @param {import('./compare.js').CompareValue | null} value
 * @param {AbortSignal} signal
 */
const comparison = (element, value, signal) => compare(element, value, { view: timeView, signal });

const LANES = { waveform, spectrogram, answer, windows, compare: comparison, explanation };

/**
 * The scroll bar, the selection and its tools; and the pages that the lanes ask for.
 * @param {Element} element
 * @param {{ value: any }} props
 * @param {(name: string, callback: () => void) => void} watch
 * @param {(name: string, detail: object) => void} trigger
 */
export function startTimeline(element, props, watch, trigger) {
  pages.askWith((span) => trigger('look_closer', { ...span, ...scales }));
  explainWith((wanted) => trigger('explain', wanted));
  watch('value', () => pages.set(props.value?.images ? props.value : null));
  drawTimeline(clearBox(element), timeView, trigger);
}

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
