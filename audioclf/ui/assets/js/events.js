// @ts-check
/* The answer as a list of events: which class from when to when; a click plays it. */
import { displayName, dot, make, percent, select } from './dom.js';
import { rememberChosen } from './explanation.js';
import { playSegment } from './playback.js';
import { scrolled, withSelection } from './time_view.js';

/** @typedef {{ label: string, start_s: number, end_s: number, confidence: number, colour?: string }} SoundEvent */
/** @typedef {{ nearest: string, start_s: number, end_s: number }} Unfamiliar */
/** @typedef {{ items: SoundEvent[], n_events: number, unknown: Unfamiliar[], is_refined: boolean }} Events */
/** @typedef {import('./time_view.js').TimeView} TimeView */

const FEW = 6; // that stand there at once
const remembered = { order: 'time' };

/** @param {number} s */
const clock = (s) =>
  s < 60 ? s.toFixed(1) : `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, '0')}`;

/** @param {{ start_s: number, end_s: number }} event */
export const whenOf = ({ start_s, end_s }) =>
  `${clock(start_s)}–${clock(end_s)}${end_s < 60 ? ' s' : ''}`;

/**
 * Events by time, or the most confident first.
 * @param {SoundEvent[]} items
 * @param {string} order
 */
export function sorted(items, order) {
  const byTime = [...items].sort((a, b) => a.start_s - b.start_s || a.end_s - b.end_s);
  return order === 'confidence' ? byTime.sort((a, b) => b.confidence - a.confidence) : byTime;
}

/**
 * @param {Events} value
 * @param {TimeView} view
 */
export function eventList(value, view) {
  const block = make('div', 'ac-events');
  const list = make('ul', 'ac-eventlist');
  let isOpen = false;
  const more = make('button', 'ac-step');
  more.type = 'button';
  const order = select('Order of the events', [
    ['time', 'by time'],
    ['confidence', 'by confidence'],
  ]);
  order.value = remembered.order;
  const tools = make('li', 'ac-eventtools');
  if (value.items.length > 1) tools.append(order);
  tools.append(more);
  const show = () => {
    remembered.order = order.value;
    const items = sorted(value.items, order.value);
    const shown = isOpen ? items : items.slice(0, FEW);
    list.replaceChildren(
      ...shown.map((event) => entry(event, view)),
      ...value.unknown.map((part) => unfamiliar(part, view)),
      ...(value.items.length > 1 ? [tools] : []),
    );
    list.classList.toggle('ac-open', isOpen);
    more.hidden = items.length <= FEW;
    more.textContent = isOpen ? 'Fewer' : `All ${value.n_events.toLocaleString('en')} events`;
  };
  more.addEventListener('click', () => {
    isOpen = !isOpen;
    show();
  });
  order.addEventListener('change', show);
  show();
  block.append(list);
  return block;
}

/**
 * @param {{ start_s: number, end_s: number, label?: string }} part
 * @param {TimeView} view
 */
function play({ start_s, end_s, label }, view) {
  const state = withSelection(view.state(), start_s, end_s);
  const { from_s, to_s } = state.shown;
  const isSeen = start_s >= from_s && end_s <= to_s;
  view.set(isSeen ? state : scrolled(state, (start_s + end_s - from_s - to_s) / 2));
  rememberChosen({ from_s: start_s, to_s: end_s, label });
  playSegment(start_s, end_s);
}

/**
 * @param {SoundEvent} event
 * @param {TimeView} view
 */
function entry(event, view) {
  const item = make('li');
  const button = make('button', 'ac-event');
  button.type = 'button';
  const name = make('strong', '', displayName(event.label));
  const rest = make('span', 'ac-n', `${whenOf(event)} (${percent(event.confidence)})`);
  button.append(dot(event.colour), name, rest);
  button.title = `Play ${displayName(event.label)}, ${whenOf(event)}`;
  button.addEventListener('click', () => play(event, view));
  item.append(button);
  return item;
}

/**
 * @param {Unfamiliar} part
 * @param {TimeView} view
 */
function unfamiliar(part, view) {
  const item = make('li');
  const button = make('button', 'ac-event ac-unfamiliar');
  button.type = 'button';
  const nearest = `nearest: ${displayName(part.nearest)}`;
  button.append(
    make('strong', '', 'unfamiliar'),
    make('span', 'ac-n', `${whenOf(part)}, ${nearest}`),
  );
  button.title = 'Unlike anything this model was trained on: play it';
  button.addEventListener('click', () => play(part, view));
  item.append(button);
  return item;
}
