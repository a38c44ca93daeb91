// @ts-check
/* A plot is a canvas or picture between a left gutter (its axis) and a row of seconds. The playhead
   is a CSS variable, so every plot below the element that carries it shows the same moment. Plots
   with a time view show a part of the sound: what is placed in percent lies in a layer that is as
   wide as the whole sound, and canvases paint what is in sight. */
import { make } from './dom.js';
import { bindGestures } from './gestures.js';
import { playFrom } from './playback.js';

/**
 * Seconds that a plot shows, where they start in the recording, its axis, what a click does.
 * @typedef {{
 *   duration_s: number, from_s?: number, ticks?: { at: number, label: string }[],
 *   seek?: (seconds: number) => void, time?: Time, name?: string,
 * }} Axes
 */
/** The time view that plots share, and until when they follow it. @typedef {{ view: import('./time_view.js').TimeView, signal: AbortSignal }} Time */
/** @typedef {import('./time_view.js').Span} Span */
/** @typedef {{ title: string, image: string, ticks?: { at: number, label: string }[] }} Picture */
/** @typedef {[low: number, high: number][]} Peaks lowest and highest sample per column, to 127 */
/**
 * @typedef {(
 *   pen: CanvasRenderingContext2D, width: number, height: number, style: CSSStyleDeclaration,
 *   xOf: (seconds: number) => number,
 * ) => void} Paint
 */

const STEPS_S = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
];

/**
 * Round times, in seconds from the left.
 * @param {number} length
 * @param {number} from
 */
function timeTicks(length, from) {
  const mostTicks = document.documentElement.clientWidth < 700 ? 5 : 10;
  const step = STEPS_S.find((s) => length / s <= mostTicks) || 3600;
  const ticks = [];
  for (let i = Math.ceil(from / step); i * step <= from + length * 1.0001; i++) {
    ticks.push(i * step - from);
  }
  return { ticks, step };
}

/**
 * @param {number} s
 * @param {number} step
 */
function formatTick(s, step) {
  if (step < 60 && s < 600) return String(+s.toFixed(step < 1 ? 2 : 0));
  return `${Math.floor(s / 60)}:${String(Math.round(s % 60)).padStart(2, '0')}`;
}

/**
 * @param {HTMLElement} axis
 * @param {number} length
 * @param {number} from
 */
function fillTimeAxis(axis, length, from) {
  const { ticks, step } = timeTicks(length, from);
  const unit = step >= 60 || from + length >= 600 ? 'min' : 's';
  axis.replaceChildren(
    ...ticks.map((s, i) => {
      const text = formatTick(s + from, step);
      const tick = make('span', '', i === ticks.length - 1 ? `${text} ${unit}` : text);
      tick.style.left = `${(100 * s) / length}%`;
      if (s / length > 0.96) tick.className = 'ac-last';
      return tick;
    }),
  );
}

/**
 * The layer of a plot that is as wide as the whole sound: what lies in it is placed in percent.
 * @param {Element} plot
 * @returns {HTMLElement}
 */
export function layerOf(plot) {
  const layer = plot.querySelector('.ac-layer');
  if (!(layer instanceof HTMLElement)) throw new Error('The plot has no layer.');
  return layer;
}

/**
 * A plot with its title and axes, at the end of a box; a click moves playback there.
 * @param {Element} box
 * @param {string | Node} title
 * @param {Axes} axes
 */
export function frame(box, title, axes) {
  const lane = make('div', 'ac-lane');
  const plot = make('div', 'ac-plot');
  const axis = make('div', 'ac-yaxis');
  for (const tick of axes.ticks || []) {
    const label = make('span', '', tick.label);
    label.style.bottom = `${100 * tick.at}%`;
    axis.append(label);
  }
  const layer = make('div', 'ac-layer');
  layer.append(make('div', 'ac-head'));
  plot.append(layer);
  const heading = make('div', 'ac-title');
  heading.append(title);
  const timeAxis = make('div', 'ac-xaxis');
  lane.append(heading, axis, plot, timeAxis);
  box.append(lane);
  const { duration_s, from_s = 0, time, seek = playFrom } = axes;
  if (time) bindGestures(plot, time.view, time.signal);
  plot.addEventListener('click', (event) => seek(secondsAt(plot, event, duration_s, time)));
  if (!time) fillTimeAxis(timeAxis, duration_s, from_s);
  time?.view.follow((state) => {
    const shown = spanOf(state, duration_s);
    const zoom = duration_s / (shown.to_s - shown.from_s);
    plot.style.setProperty('--ac-from', String(shown.from_s / duration_s));
    plot.style.setProperty('--ac-zoom', String(zoom));
    fillTimeAxis(timeAxis, shown.to_s - shown.from_s, shown.from_s);
    markSelection(layer, state.selected, duration_s);
  }, time.signal);
  return plot;
}

/**
 * What is shown of a sound: all of it where the view is that of another one.
 * @param {import('./time_view.js').ViewState} state
 * @param {number} duration_s
 * @returns {Span}
 */
function spanOf(state, duration_s) {
  const isSame = Math.abs(state.duration_s - duration_s) < 1e-6;
  return isSame ? state.shown : { from_s: 0, to_s: duration_s };
}

/**
 * @param {HTMLElement} layer
 * @param {Span | null} selected
 * @param {number} duration_s
 */
function markSelection(layer, selected, duration_s) {
  const old = layer.querySelector('.ac-selected');
  if (!selected) return old?.remove();
  const mark = old instanceof HTMLElement ? old : make('div', 'ac-selected');
  place(mark, selected.from_s, selected.to_s, duration_s);
  if (!old) layer.append(mark);
}

/**
 * Place something on a layer, from when to when.
 * @param {HTMLElement} mark
 * @param {number} from_s
 * @param {number} to_s
 * @param {number} duration_s
 */
export function place(mark, from_s, to_s, duration_s) {
  mark.style.left = `${(100 * from_s) / duration_s}%`;
  mark.style.width = `${(100 * (to_s - from_s)) / duration_s}%`;
}

/**
 * Mark the silence at both ends that was trimmed.
 * @param {Element} plot
 * @param {Span} kept what was not
 * @param {number} duration_s
 * @returns {boolean} whether there is any
 */
export function markTrimmed(plot, { from_s, to_s }, duration_s) {
  const least = Math.max(0.02, duration_s / 1000); // less is rounding
  const ends = [
    [0, from_s],
    [to_s, duration_s],
  ].filter(([start_s, end_s]) => end_s - start_s > least);
  for (const [start_s, end_s] of ends) {
    const mark = make('div', 'ac-trimmed');
    mark.title = 'Silence that is trimmed';
    place(mark, start_s, end_s, duration_s);
    layerOf(plot).append(mark);
  }
  return ends.length > 0;
}

/**
 * Which moment of a plot was pointed at.
 * @param {Element} plot
 * @param {MouseEvent} event
 * @param {number} duration_s
 * @param {Time} [time]
 */
export function secondsAt(plot, event, duration_s, time) {
  const box = plot.getBoundingClientRect();
  const { from_s, to_s } = time
    ? spanOf(time.view.state(), duration_s)
    : { from_s: 0, to_s: duration_s };
  return from_s + ((to_s - from_s) * (event.clientX - box.left)) / box.width;
}

/**
 * A canvas that is painted whenever its plot changes its size, or the view what it shows; a
 * function that paints it again.
 * @param {Element} plot
 * @param {Paint} paint
 * @param {Axes} [axes]
 */
export function canvas(plot, paint, { duration_s, time } = { duration_s: 1 }) {
  const sheet = make('canvas');
  plot.prepend(sheet);
  const draw = () => {
    const box = plot.getBoundingClientRect();
    const pen = sheet.getContext('2d');
    if (!box.width || !pen) return;
    const [width, height] = [box.width, box.height].map((n) => Math.round(n * devicePixelRatio));
    if (sheet.width !== width) sheet.width = width;
    if (sheet.height !== height) sheet.height = height;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.globalAlpha = 1;
    pen.clearRect(0, 0, box.width, box.height);
    const shown = time ? spanOf(time.view.state(), duration_s) : { from_s: 0, to_s: duration_s };
    const scale = box.width / (shown.to_s - shown.from_s);
    paint(pen, box.width, box.height, getComputedStyle(plot), (s) => (s - shown.from_s) * scale);
  };
  const later = oncePerFrame(draw);
  new ResizeObserver(later).observe(plot);
  time?.view.follow(later, time.signal);
  return later;
}

/** @param {() => void} act */
function oncePerFrame(act) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      act();
    });
  };
}

/**
 * Columns of a waveform over a part of the sound.
 * @param {CanvasRenderingContext2D} pen
 * @param {Peaks} peaks
 * @param {number} left where the part begins and ends, in pixels
 * @param {number} right
 * @param {number} width of the canvas
 * @param {number} height
 */
function paintPeaks(pen, peaks, left, right, width, height) {
  const step = (right - left) / peaks.length;
  const first = Math.max(0, Math.floor(-left / step));
  const last = Math.min(peaks.length, Math.ceil((width - left) / step));
  for (let i = first; i < last; i++) {
    const [low, high] = peaks[i];
    const top = (height * (127 - high)) / 254;
    const bottom = (height * (127 - low)) / 254;
    pen.fillRect(left + i * step, top, Math.max(step, 0.6), Math.max(bottom - top, 1));
  }
}

/**
 * A waveform, and closer looks at parts of it.
 * @param {Element} plot
 * @param {Axes & { peaks: Peaks }} value
 * @param {import('./pages.js').Pages} [pages]
 */
export function drawPeaks(plot, value, pages) {
  const draw = canvas(
    plot,
    (pen, width, height, style, xOf) => {
      pen.fillStyle = style.color;
      paintPeaks(pen, value.peaks, xOf(0), xOf(value.duration_s), width, height);
      const page = pages?.page();
      if (!page) return;
      const [left, right] = [xOf(page.from_s), xOf(page.to_s)];
      pen.clearRect(left, 0, right - left, height);
      paintPeaks(pen, page.peaks, left, right, width, height);
    },
    value,
  );
  if (value.time) pages?.follow(draw, value.time.signal);
}

/**
 * A spectrogram: one picture per channel, and closer looks at parts of it.
 * @param {Element} box
 * @param {Axes & { pictures: Picture[] }} value
 * @param {import('./pages.js').Pages} [pages]
 */
export function drawPictures(box, value, pages) {
  const { pictures, duration_s, seek, from_s, time } = value;
  pictures.forEach((channel, number) => {
    const axes = { duration_s, ticks: channel.ticks, seek, from_s, time };
    const plot = frame(box, channel.title, axes);
    plot.classList.add('ac-spectrogram');
    if (pictures.length > 1) plot.classList.add('ac-one-of-several');
    const picture = make('img');
    picture.src = channel.image;
    picture.alt = channel.title;
    const layer = layerOf(plot);
    layer.prepend(picture);
    if (!pages || !time) return;
    const closer = make('div', 'ac-closer');
    pages.follow(() => {
      const page = pages.page();
      closer.hidden = !page?.images[number];
      if (!page || closer.hidden) return;
      closer.style.backgroundImage = `url(${page.images[number]})`;
      place(closer, page.from_s, page.to_s, duration_s);
    }, time.signal);
    picture.after(closer);
  });
}
