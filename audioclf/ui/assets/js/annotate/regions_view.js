// @ts-check
/* The elements of the view Regions. */
import { button, make, select } from '../dom.js';

/** @typedef {import('./api.js').Recording & { outline?: import('../plot.js').Peaks }} OutlinedRecording */
/** @typedef {import('./api.js').Span} Span */
/**
 * What its controls do.
 * @typedef {{
 *   back: () => void, forward: () => void, toggle: () => void, setLength: () => void,
 *   setLoop: (isLooped: boolean) => void, centreAt: (fraction: number) => void,
 * }} RegionActions
 */

/** @type {[string, string][]} */
const PAGES = [
  ['10', '10 s'],
  ['30', '30 s'],
  ['60', '60 s'],
];
const HINT =
  'Drag over the waveform to draw a region; drag its ends or its middle; a class’s key names it. Enter marks a second from the playhead; ' +
  '[ and ] set its ends there; ← → move it by 10 ms (with Shift its end), P plays it, L loops it, Delete removes it, “,” and “.” choose the one before and after, Page Up and Page Down turn.';
const CAPTION =
  'font-size:12px;padding:1px 5px;margin:2px;border-radius:3px;pointer-events:none;white-space:nowrap;color:var(--body-text-color);background:color-mix(in srgb, var(--background-fill-primary) 85%, transparent)';

/**
 * @param {Element} view
 * @param {RegionActions} actions
 */
export function buildRegions(view, actions) {
  const els = {
    what: make('p', 'ac-empty'),
    length: select('Length of a page', PAGES),
    play: button('Play', actions.toggle, 'Space'),
    loop: make('input'),
    when: make('span', 'ac-when'),
    peak: make('span'), // how loud the top of the waveform is
    wave: make('div', 'ac-wave'),
    strip: make('div', 'ac-plot ac-strip'),
    pictures: make('div'),
    list: make('div', 'ac-soundrows ac-scrolls'),
  };
  els.length.addEventListener('change', actions.setLength);
  els.loop.type = 'checkbox';
  els.loop.addEventListener('change', () => actions.setLoop(els.loop.checked));
  const loop = make('label', 'ac-toggle');
  loop.append(els.loop, 'Loop the chosen region');
  const head = make('div', 'ac-where');
  const back = button('◀', actions.back, 'Page back');
  const forward = button('▶', actions.forward, 'Page on');
  head.append(back, els.play, forward, els.length, loop, els.when);
  const lane = make('div', 'ac-lane');
  const axis = make('div', 'ac-yaxis');
  els.peak.style.bottom = '88%';
  axis.append(els.peak);
  lane.append(axis, els.wave);
  const overview = make('div', 'ac-lane');
  overview.append(make('div'), els.strip);
  els.strip.addEventListener('click', (event) => {
    const frame = els.strip.getBoundingClientRect();
    actions.centreAt((event.clientX - frame.left) / frame.width);
  });
  view.prepend(els.what, head, overview, lane, els.pictures, els.list, make('p', 'ac-note', HINT));
  return els;
}

/** @typedef {ReturnType<typeof buildRegions>} RegionElements */

/** The classes of a region, on it. @param {string} text */
export function caption(text) {
  const node = make('span', '', text);
  node.style.cssText = CAPTION;
  return node;
}

/**
 * The whole recording: its waveform where it is known, the page, and all regions.
 * @param {OutlinedRecording} recording
 * @param {Span} page
 * @param {(name: string | undefined) => string} colourOf
 * @returns {import('../plot.js').Paint}
 */
export function paintOverview({ duration_s, outline = [], regions }, page, colourOf) {
  return (pen, width, height, style) => {
    /** @param {number} s */
    const x = (s) => (width * s) / duration_s;
    pen.fillStyle = style.getPropertyValue('--ac-rest');
    pen.fillRect(x(page.start_s), 0, Math.max(2, x(page.end_s - page.start_s)), height);
    pen.fillStyle = style.color;
    outline.forEach(([low, high], i) => {
      const top = (height * (127 - high)) / 254;
      const tall = Math.max(1, (height * (high - low)) / 254);
      pen.fillRect((i * width) / outline.length, top, 1, tall);
    });
    for (const { start_s, end_s, names } of regions) {
      pen.fillStyle = colourOf(names[0]);
      pen.fillRect(x(start_s), height - 5, Math.max(2, x(end_s - start_s)), 5);
    }
  };
}
