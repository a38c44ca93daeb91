// @ts-check
/* The scroll bar under the lanes, and the tools of the selected segment. */
import { button, make } from './dom.js';
import { askToExplain } from './explanation.js';
import { playSegment } from './playback.js';
import { afterKey, scrolled, within } from './time_view.js';

/** @typedef {import('./time_view.js').TimeView} TimeView */
/** @typedef {(name: string, detail: object) => void} Trigger */

/** @param {number} s */
const seconds = (s) => s.toFixed(2);

/**
 * @param {HTMLElement} box
 * @param {TimeView} view
 * @param {Trigger} trigger
 */
export function drawTimeline(box, view, trigger) {
  const row = make('div', 'ac-timeline');
  row.append(scrollBar(view), zoomButtons(view));
  const tools = selectionTools(view, trigger);
  box.append(row, tools);
  view.follow(({ duration_s, selected }) => {
    row.hidden = !duration_s;
    tools.hidden = !selected;
  });
}

/** @param {TimeView} view */
function zoomButtons(view) {
  const group = make('span', 'ac-zoom');
  /**
   * @param {string} text
   * @param {string} key
   * @param {string} title
   */
  const key = (text, key, title) => {
    const node = button(
      text,
      () => {
        const state = view.state();
        const middle = (state.shown.from_s + state.shown.to_s) / 2;
        view.set(afterKey(state, key, middle) || state);
      },
      title,
    );
    node.setAttribute('aria-label', title);
    return node;
  };
  group.append(key('−', '-', 'Zoom out'), key('+', '+', 'Zoom in'));
  group.append(button('All', () => view.reset(view.state().duration_s), 'Show the whole sound'));
  return group;
}

/** @param {TimeView} view */
function scrollBar(view) {
  const track = make('div', 'ac-scroll');
  const thumb = make('div', 'ac-thumb');
  track.tabIndex = 0;
  track.setAttribute('role', 'slider');
  track.setAttribute('aria-label', 'Scroll through the sound');
  track.setAttribute('aria-valuemin', '0');
  track.append(thumb);
  view.follow(({ duration_s, shown: { from_s, to_s } }) => {
    const length = duration_s || 1;
    thumb.style.left = `${(100 * from_s) / length}%`;
    thumb.style.width = `${(100 * (to_s - from_s)) / length}%`;
    track.setAttribute('aria-valuemax', duration_s.toFixed(2));
    track.setAttribute('aria-valuenow', from_s.toFixed(2));
    track.setAttribute('aria-valuetext', `${seconds(from_s)} to ${seconds(to_s)} s`);
  });
  /** @param {PointerEvent} event */
  const follow = (event) => {
    if (!(event.buttons & 1)) return;
    const rect = track.getBoundingClientRect();
    const { duration_s, shown } = view.state();
    const middle_s = (duration_s * (event.clientX - rect.left)) / rect.width;
    const half = (shown.to_s - shown.from_s) / 2;
    const wanted = { from_s: middle_s - half, to_s: middle_s + half };
    view.set({ ...view.state(), shown: within(wanted, duration_s) });
  };
  track.addEventListener('pointerdown', (event) => {
    track.setPointerCapture(event.pointerId);
    follow(event);
  });
  track.addEventListener('pointermove', follow);
  track.addEventListener('keydown', (event) => {
    const state = view.state();
    const { from_s, to_s } = state.shown;
    const arrow = { ArrowLeft: -0.1, ArrowRight: 0.1 }[event.key];
    const after = arrow
      ? scrolled(state, arrow * (to_s - from_s))
      : afterKey(state, event.key, (from_s + to_s) / 2);
    if (!after) return;
    event.preventDefault();
    view.set(after);
  });
  return track;
}

/**
 * @param {TimeView} view
 * @param {Trigger} trigger
 */
function selectionTools(view, trigger) {
  const row = make('div', 'ac-tools');
  const when = make('strong', 'ac-when');
  const loop = make('button', 'ac-step', 'Loop');
  loop.type = 'button';
  loop.setAttribute('aria-pressed', 'false');
  const isLooped = () => loop.getAttribute('aria-pressed') === 'true';
  const play = () => {
    const { selected } = view.state();
    if (selected) playSegment(selected.from_s, selected.to_s, isLooped());
  };
  loop.addEventListener('click', () => {
    loop.setAttribute('aria-pressed', String(!isLooped()));
    play();
  });
  /** @param {string} name */
  const send = (name) => () => trigger(name, { ...view.state().selected });
  row.append(
    when,
    button('Play', play, 'Play what is selected'),
    loop,
    button('Zoom', () => {
      const state = view.state();
      const shown = within(state.selected || state.shown, state.duration_s);
      view.set({ ...state, shown });
    }),
    button('Predict', send('predict_alone'), 'Predict what is selected alone'),
    button(
      'Explain',
      () => {
        const { selected } = view.state();
        if (selected) askToExplain(selected);
      },
      'Draw over the spectrogram what the answer rests on',
    ),
    button('Label', send('label_segment'), 'Add what is selected to the data set of the tab Label'),
    button('Clear', () => view.set({ ...view.state(), selected: null }), 'Select nothing'),
  );
  view.follow(({ selected }) => {
    if (selected) when.textContent = `${seconds(selected.from_s)} to ${seconds(selected.to_s)} s`;
  });
  return row;
}
