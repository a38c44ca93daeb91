// @ts-check
/* Many classes: a searchable ranking, and the classes that matter as rows over time. */
import { bars, clearBox, displayName, hatch, make } from './dom.js';
import { canvas, frame, markTrimmed } from './plot.js';
import { windowPicker } from './window_picker.js';

/** @typedef {import('./dom.js').Ranked} Ranked */
/**
 * @typedef {{
 *   file: string, title: string, duration_s: number,
 *   rows: { class: string, probabilities: number[] }[],
 *   windows: { start_s: number, end_s: number, best: Ranked[] }[], quiet: number[], unfamiliar: number[],
 * }} HeatmapValue
 */

const N_SHOWN = 8; // rows of the ranking
const MAX_MATCHES = 30; // that a search shows
const ROW_PX = 22;
const BAR_PX = 15;

/**
 * The ranking: the first few, and a field that finds any other.
 * @param {Ranked[]} rows
 */
export function searchableRanking(rows) {
  const block = make('div', 'ac-search');
  const field = make('input', 'ac-field');
  field.type = 'search';
  field.placeholder = `Search ${rows.length} classes`;
  field.setAttribute('aria-label', field.placeholder);
  const list = make('div', 'ac-wide');
  const show = () => {
    const text = field.value.trim().toLowerCase();
    const matches = text
      ? rows.filter((row) => displayName(row.class).toLowerCase().includes(text))
      : rows.slice(0, N_SHOWN);
    if (!matches.length) {
      list.replaceChildren(make('p', 'ac-empty', 'No class has that in its name.'));
      return;
    }
    list.replaceChildren(bars(matches.slice(0, MAX_MATCHES)));
    const n_more = matches.length - MAX_MATCHES;
    if (n_more > 0) list.append(make('p', 'ac-empty', `and ${n_more} more: type on`));
  };
  field.addEventListener('input', show);
  block.append(list, field);
  show();
  return block;
}

/**
 * @param {Element} element
 * @param {HeatmapValue} value
 * @param {import('./plot.js').Time} time
 */
export function heatmap(element, value, time) {
  const { rows, windows, duration_s } = value;
  const axes = { duration_s, time };
  const isQuiet = new Set(value.quiet);
  const isUnfamiliar = new Set(value.unfamiliar);
  const plot = frame(clearBox(element), value.title, axes);
  plot.classList.add('ac-heat');
  plot.style.height = `${ROW_PX * rows.length + 4}px`;
  const names = plot.parentElement?.querySelector('.ac-yaxis');
  rows.forEach((row, number) => {
    const name = make('span', 'ac-row', displayName(row.class));
    name.title = displayName(row.class);
    name.style.top = `${ROW_PX * number}px`;
    names?.append(name);
  });
  canvas(
    plot,
    (pen, width, height, style, xOf) => {
      const colour = style.color;
      rows.forEach((row, number) => {
        const top = ROW_PX * number + (ROW_PX - BAR_PX) / 2;
        pen.globalAlpha = 1;
        pen.fillStyle = style.getPropertyValue('--ac-row');
        pen.fillRect(0, top, width, BAR_PX);
        pen.fillStyle = colour;
        row.probabilities.forEach((p, i) => {
          const left = xOf(windows[i].start_s);
          const right = xOf(Math.min(windows[i + 1]?.start_s ?? Infinity, windows[i].end_s));
          if (right < 0 || left > width || isQuiet.has(i)) return;
          const gap = right - left > 8 ? 1 : 0;
          pen.globalAlpha = p;
          pen.fillRect(left, top, Math.max(right - left - gap, 0.6), BAR_PX);
        });
      });
      pen.globalAlpha = 1;
      windows.forEach(({ start_s, end_s }, i) => {
        const right = xOf(Math.min(windows[i + 1]?.start_s ?? Infinity, end_s));
        if (isUnfamiliar.has(i)) hatch(pen, xOf(start_s), right, height, style);
      });
    },
    axes,
  );
  const predicted = { from_s: windows[0].start_s, to_s: windows.at(-1)?.end_s ?? 0 };
  markTrimmed(plot, predicted, duration_s);
  windowPicker(element, plot, value, (i) => windows[i].best, time).classList.add('ac-wide');
}
