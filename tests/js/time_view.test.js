// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageToAsk } from '../../audioclf/ui/assets/js/pages.js';
import {
  afterKey,
  createTimeView,
  scrolled,
  withSelection,
  zoomed,
} from '../../audioclf/ui/assets/js/time_view.js';

const HOUR_S = 3600;
const hour = () => {
  const view = createTimeView();
  view.reset(HOUR_S);
  return view;
};

test('zooming keeps the moment under the pointer where it is, and stays within the sound', () => {
  const closer = zoomed(hour().state(), 0.25, 900);
  assert.deepEqual(closer.shown, { from_s: 675, to_s: 1575 });
  assert.deepEqual(zoomed(closer, 100, 900).shown, { from_s: 0, to_s: HOUR_S });
  const closest = zoomed(closer, 1e-9, 900).shown;
  assert.ok(closest.to_s - closest.from_s > 0.04 && closest.from_s < 900 && closest.to_s > 900);
});

test('scrolling ends at both ends', () => {
  const closer = zoomed(hour().state(), 0.25, 900);
  assert.deepEqual(scrolled(closer, -1e6).shown, { from_s: 0, to_s: 900 });
  assert.deepEqual(scrolled(closer, 1e6).shown, { from_s: 2700, to_s: HOUR_S });
  assert.deepEqual(afterKey(closer, 'Home', 0)?.shown, { from_s: 0, to_s: 900 });
  assert.deepEqual(afterKey(closer, 'End', 0)?.shown, { from_s: 2700, to_s: HOUR_S });
  assert.equal(afterKey(closer, 'x', 0), null);
});

test('a selection has two ends in order, within the sound', () => {
  const state = hour().state();
  assert.deepEqual(withSelection(state, 20, -5).selected, { from_s: 0, to_s: 20 });
  assert.equal(withSelection(state, 7, 7).selected, null);
});

test('a page is asked for where there is none that is fine enough, and never for the whole', () => {
  const state = hour().state();
  assert.equal(pageToAsk(state, null), null);
  const closer = zoomed(state, 0.01, 1800);
  const asked = pageToAsk(closer, null);
  assert.ok(asked && asked.from_s < closer.shown.from_s && asked.to_s > closer.shown.to_s);
  assert.equal(pageToAsk(closer, asked), null);
  assert.ok(pageToAsk(zoomed(closer, 0.1, 1800), asked));
  assert.ok(pageToAsk(scrolled(closer, 40), asked));
});

test('whoever follows a view is told until the signal', () => {
  const view = hour();
  const end = new AbortController();
  /** @type {number[]} */
  const seen = [];
  view.follow(({ shown }) => seen.push(shown.to_s), end.signal);
  view.set(zoomed(view.state(), 0.5, 0));
  end.abort();
  view.set(zoomed(view.state(), 0.5, 0));
  assert.deepEqual(seen, [HOUR_S, 1800]);
});
