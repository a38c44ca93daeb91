// @ts-check
/* A plot is a canvas or picture between a left gutter (its axis) and a row of seconds. The playhead
   is a CSS variable, so every plot below the element that carries it shows the same moment. */
import { make } from './dom.js';
import { playFrom } from './playback.js';

/**
 * Seconds that a plot shows, where they start in the recording, its axis, what a click does.
 * @typedef {{
 *   duration_s: number, from_s?: number, ticks?: { at: number, label: string }[],
 *   seek?: (seconds: number) => void,
 * }} Axes
 */
/** @typedef {{ title: string, image: string, ticks?: { at: number, label: string }[] }} Picture */
/** @typedef {[low: number, high: number][]} Peaks lowest and highest sample per column, to 127 */
/**
 * @typedef {(
 *   pen: CanvasRenderingContext2D, width: number, height: number, style: CSSStyleDeclaration,
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

/** @param {Axes} axes */
function timeAxis({ duration_s, from_s = 0 }) {
  const axis = make('div', 'ac-xaxis');
  const { ticks, step } = timeTicks(duration_s, from_s);
  const unit = step >= 60 || from_s + duration_s >= 600 ? 'min' : 's';
  ticks.forEach((s, i) => {
    const text = formatTick(s + from_s, step);
    const tick = make('span', '', i === ticks.length - 1 ? `${text} ${unit}` : text);
    tick.style.left = `${(100 * s) / duration_s}%`;
    if (s / duration_s > 0.96) tick.className = 'ac-last';
    axis.append(tick);
  });
  return axis;
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
  plot.append(make('div', 'ac-head'));
  const heading = make('div', 'ac-title');
  heading.append(title);
  lane.append(heading, axis, plot, timeAxis(axes));
  box.append(lane);
  const seek = axes.seek || playFrom;
  plot.addEventListener('click', (event) => seek(secondsAt(plot, event, axes.duration_s)));
  return plot;
}

/**
 * Which moment of a plot was pointed at.
 * @param {Element} plot
 * @param {MouseEvent} event
 * @param {number} duration_s
 */
export function secondsAt(plot, event, duration_s) {
  const box = plot.getBoundingClientRect();
  return (duration_s * (event.clientX - box.left)) / box.width;
}

/**
 * A canvas that is painted whenever its plot changes its size; a function that paints it again.
 * @param {Element} plot
 * @param {Paint} paint
 */
export function canvas(plot, paint) {
  const sheet = make('canvas');
  plot.prepend(sheet);
  const draw = () => {
    const box = plot.getBoundingClientRect();
    const pen = sheet.getContext('2d');
    if (!box.width || !pen) return;
    sheet.width = Math.round(box.width * devicePixelRatio);
    sheet.height = Math.round(box.height * devicePixelRatio);
    pen.scale(devicePixelRatio, devicePixelRatio);
    paint(pen, box.width, box.height, getComputedStyle(plot));
  };
  new ResizeObserver(draw).observe(plot);
  return draw;
}

/**
 * A waveform.
 * @param {Element} plot
 * @param {{ peaks: Peaks }} value
 */
export function drawPeaks(plot, { peaks }) {
  canvas(plot, (pen, width, height, style) => {
    pen.fillStyle = style.color;
    const step = width / peaks.length;
    peaks.forEach(([low, high], i) => {
      const top = (height * (127 - high)) / 254;
      const bottom = (height * (127 - low)) / 254;
      pen.fillRect(i * step, top, Math.max(step, 0.6), Math.max(bottom - top, 1));
    });
  });
}

/**
 * A spectrogram: one picture per channel.
 * @param {Element} box
 * @param {Axes & { pictures: Picture[] }} value
 */
export function drawPictures(box, { pictures, duration_s, seek, from_s }) {
  for (const channel of pictures) {
    const plot = frame(box, channel.title, { duration_s, ticks: channel.ticks, seek, from_s });
    plot.classList.add('ac-spectrogram');
    if (pictures.length > 1) plot.classList.add('ac-one-of-several');
    const picture = make('img');
    picture.src = channel.image;
    picture.alt = channel.title;
    plot.prepend(picture);
  }
}
