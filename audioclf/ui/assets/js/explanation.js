// @ts-check
/* What an answer rests on, over the spectrogram, with its legend; it can be hidden. */
import {
  announce,
  button,
  clearBox,
  displayName,
  make,
  percent,
  showEmpty,
  showError,
} from './dom.js';
import { layerOf, place } from './plot.js';

/**
 * @typedef {{
 *   error?: string, label: string, probability: number, from_s: number, to_s: number,
 *   importance: number[][], strongest: number, attention: number[] | null, notes: string[],
 * }} Explanation times by bands, low bands first; shares of the strongest
 */
/** @typedef {{ from_s: number, to_s: number, label?: string }} Wanted */

const WEAK = 0.02; // in log odds: nothing that was taken away matters
const COLOURS = { for: [213, 94, 0], against: [0, 114, 178] };

/** @type {Explanation | null} */
let shown = null;
/** @type {{ plot: HTMLElement, duration_s: number }[]} */
let plots = [];
/** @type {(wanted: Wanted) => void} */
let ask = () => {};
/** What was hidden stands there again. */
let reveal = () => {};

/** @param {(wanted: Wanted) => void} asker */
export function explainWith(asker) {
  ask = asker;
}

/** The event that was chosen last. @type {Wanted | null} */
let chosen = null;

/** @param {Wanted} event */
export function rememberChosen(event) {
  chosen = event;
}

/**
 * Explain a segment; of an event that was chosen, its class.
 * @param {Wanted} wanted
 */
export function askToExplain({ from_s, to_s }) {
  const isEvent = chosen?.from_s === from_s && chosen?.to_s === to_s;
  reveal(); // the server's answer may be the same, and then nothing arrives
  ask({ from_s, to_s, label: isEvent ? chosen?.label : undefined });
}

/**
 * The spectrogram was drawn anew.
 * @param {Iterable<Element>} drawn
 * @param {number} duration_s
 */
export function overlayOn(drawn, duration_s) {
  plots = [...drawn].flatMap((plot) => (plot instanceof HTMLElement ? [{ plot, duration_s }] : []));
  drawOverlay();
}

function drawOverlay() {
  for (const { plot, duration_s } of plots) {
    plot.querySelector('.ac-why')?.remove();
    if (!shown) continue;
    const overlay = make('div', 'ac-why');
    place(overlay, shown.from_s, shown.to_s, duration_s);
    overlay.append(map(shown));
    if (shown.attention) overlay.append(attentionStrip(shown.attention));
    layerOf(plot).append(overlay);
  }
}

/**
 * @param {number} width
 * @param {number} height
 * @param {(x: number, y: number) => number[]} colourOf
 */
function cells(width, height, colourOf) {
  const sheet = make('canvas');
  [sheet.width, sheet.height] = [width, height];
  const pen = sheet.getContext('2d');
  const picture = new ImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) picture.data.set(colourOf(x, y), 4 * (y * width + x));
  }
  pen?.putImageData(picture, 0, 0);
  return sheet;
}

/** @param {Explanation} value */
function map({ importance, strongest }) {
  const n_bands = importance[0].length;
  return cells(importance.length, n_bands, (x, y) => {
    const fall = strongest < WEAK ? 0 : importance[x][n_bands - 1 - y];
    const colour = fall > 0 ? COLOURS.for : COLOURS.against;
    return [...colour, Math.round(190 * Math.abs(fall))];
  });
}

/** @param {number[]} weights */
function attentionStrip(weights) {
  const strip = cells(weights.length, 1, (x) => [240, 228, 66, Math.round(255 * weights[x])]);
  strip.className = 'ac-attention';
  return strip;
}

/**
 * @param {Element} element
 * @param {Explanation | null} value
 */
export function explanation(element, value) {
  shown = value && !value.error ? value : null;
  reveal = () => {};
  drawOverlay();
  if (!value) return showEmpty(element);
  if (value.error) return showError(element, value.error);
  const box = clearBox(element);
  const { label, probability, from_s, to_s, strongest } = value;
  const times = `${from_s.toFixed(2)} to ${to_s.toFixed(2)} s`;
  const title = `Why ${displayName(label)} (${percent(probability)}), ${times}`;
  const row = make('div', 'ac-tools ac-explained');
  row.append(make('strong', '', title), ...legend(value));
  const hide = button('Hide', () => {
    shown = null;
    drawOverlay();
    showEmpty(element);
    reveal = () => explanation(element, value);
  });
  hide.setAttribute('aria-label', 'Hide the explanation');
  row.append(hide);
  box.append(row);
  const notes = [...value.notes];
  if (strongest < WEAK) notes.unshift('Nothing that is taken away alone changes this answer.');
  box.append(make('p', 'ac-empty ac-note ac-why-notes', notes.join(' ')));
  announce(`${title} is drawn over the spectrogram.`);
}

/** @param {Explanation} value */
function legend({ attention }) {
  /**
   * @param {number[] | string} colour
   * @param {string} text
   */
  const item = (colour, text) => {
    const mark = make('i', 'ac-dot');
    mark.style.background = typeof colour === 'string' ? colour : `rgb(${colour.join()})`;
    const entry = make('span', 'ac-whykey');
    entry.append(mark, text);
    return entry;
  };
  const items = [item(COLOURS.for, 'speaks for it'), item(COLOURS.against, 'against it')];
  if (attention) items.push(item('rgb(240, 228, 66)', 'attention'));
  return items;
}
