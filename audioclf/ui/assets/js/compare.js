// @ts-check
/* The Compare lane: one row per model, its windows in their class's colour on the time axis. */
import {
  announce,
  bars,
  clearBox,
  displayName,
  dot,
  make,
  percent,
  showEmpty,
  showError,
} from './dom.js';
import { canvas, frame } from './plot.js';

/** @typedef {import('./dom.js').Ranked} Ranked */
/** @typedef {[start_s: number, end_s: number, name: string, probability: number]} TopWindow */
/**
 * @typedef {{
 *   model: string, error?: string, answer?: string, colour?: string, is_sure?: boolean,
 *   best?: Ranked, second?: Ranked, windows?: TopWindow[],
 * }} Row
 */
/** @typedef {{ answer?: string, note: string, ranking?: Ranked[] }} EnsembleMean */
/**
 * @typedef {{
 *   error?: string, sentence: string, duration_s: number, rows?: Row[],
 *   colours: Record<string, string>, together?: EnsembleMean | null,
 * }} CompareValue
 */

const MAX_NAMED = 18; // classes in the legend

/** @param {Ranked} ranked */
const inWords = (ranked) => `${displayName(ranked.class)} ${percent(ranked.probability)}`;

/** @param {Row} row */
function heading(row) {
  const line = make('div', 'ac-voice');
  line.append(make('span', 'ac-network', row.model));
  if (row.error) line.append(make('span', 'ac-error', row.error));
  else if (!row.answer || !row.best || !row.second) line.append(make('span', 'ac-empty', '…'));
  else {
    const answer = make('strong');
    answer.append(dot(row.colour), row.answer);
    const then = `then ${inWords(row.second)}`;
    line.append(
      answer,
      make('span', 'ac-empty', row.is_sure ? then : `${inWords(row.best)}, ${then}`),
    );
  }
  return line;
}

/**
 * A window reaches to the start of the next one; its height is the probability of its class.
 * @param {TopWindow[]} windows
 * @param {CompareValue} value
 * @returns {import('./plot.js').Paint}
 */
function paintWindows(windows, value) {
  return (pen, width, height, style, xOf) => {
    windows.forEach(([start_s, end_s, name, probability], i) => {
      const left = xOf(start_s);
      const right = xOf(Math.min(windows[i + 1]?.[0] ?? Infinity, end_s));
      if (right < 0 || left > width) return;
      const gap = right - left > 8 ? 1.5 : 0;
      const wide = Math.max(right - left - gap, 0.6);
      pen.fillStyle = style.getPropertyValue('--ac-rest');
      pen.fillRect(left, 0, wide, height);
      pen.fillStyle = value.colours[name];
      pen.fillRect(left, height * (1 - probability), wide, height * probability);
    });
  };
}

/**
 * @param {Row[]} rows
 * @param {Record<string, string>} colours
 */
function legend(rows, colours) {
  const names = [...new Set(rows.flatMap((row) => (row.windows || []).map((w) => w[2])))];
  const line = make('div', 'ac-legend');
  for (const name of names.slice(0, MAX_NAMED)) {
    const item = make('span');
    item.append(dot(colours[name]), displayName(name));
    line.append(item);
  }
  const n_more = names.length - MAX_NAMED;
  if (n_more > 0) line.append(make('span', '', `and ${n_more} more classes;`));
  const note =
    'A window has the colour of its class; its height is the probability. The words of a row are ' +
    'of the whole sound, the mean of its windows: what happened when stands in the answer above.';
  if (names.length) line.append(make('span', '', note));
  return line;
}

/** @param {EnsembleMean} mean */
function ensembleMean(mean) {
  const block = make('div', 'ac-together');
  if (mean.answer) block.append(make('strong', '', `Ensemble mean: ${mean.answer}`));
  block.append(make('p', 'ac-empty', mean.note));
  if (mean.ranking) block.append(bars(mean.ranking));
  return block;
}

/**
 * @param {Element} element
 * @param {CompareValue | null} value
 * @param {import('./plot.js').Time} time
 */
export function compare(element, value, time) {
  if (!value) return showEmpty(element);
  if (value.error) return showError(element, value.error);
  if (!value.rows) return showEmpty(element, value.sentence);
  const box = clearBox(element);
  box.append(make('h3', 'ac-agreement', value.sentence));
  if (!value.sentence.endsWith('…')) announce(value.sentence);
  if (value.together) box.append(ensembleMean(value.together));
  const list = make('div', 'ac-voices');
  const axes = { duration_s: value.duration_s, time };
  box.append(list);
  for (const row of value.rows) {
    const plot = frame(list, heading(row), axes);
    plot.classList.add('ac-strip');
    if (row.windows) canvas(plot, paintWindows(row.windows, value), axes);
    else if (row.error) plot.classList.add('ac-none');
  }
  box.append(legend(value.rows, value.colours));
}
