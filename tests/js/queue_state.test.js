// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLOSED,
  currentItem,
  heldPlaces,
  labelsPerMinute,
  N_PREFETCHED,
  reduceQueue,
} from '../../audioclf/ui/assets/js/annotate/queue_state.js';

/** @typedef {import('../../audioclf/ui/assets/js/annotate/api.js').Item} Item */
/** @typedef {import('../../audioclf/ui/assets/js/annotate/queue_state.js').QueueState} QueueState */
/** @typedef {import('../../audioclf/ui/assets/js/annotate/queue_state.js').QueueAction} QueueAction */

/**
 * @param {string} file
 * @param {Partial<Item>} [more]
 * @returns {Item}
 */
const item = (file, more) => ({
  file,
  start_s: null,
  end_s: null,
  suggestion: null,
  annotation: null,
  ...more,
});

/** @param {string[]} names @returns {import('../../audioclf/ui/assets/js/annotate/api.js').Annotation} */
const label = (...names) => ({ kind: 'label', names });

/**
 * @param {Item[]} next
 * @param {Item[]} [held]
 * @returns {import('../../audioclf/ui/assets/js/annotate/api.js').Status}
 */
const status = (next, held = []) => ({
  classes: [
    { name: 'dog', n: 0, colour: 'red' },
    { name: 'rain', n: 0, colour: 'blue' },
  ],
  n_total: 10,
  n_labelled: 0,
  kinds: {},
  errors: [],
  n_errors: 0,
  embedding: { kind: 'none', isReady: false, error: '', model: '', n_done: 0, n_total: 0 },
  accuracy: { n_labels: 0, n_right: 0, n_random: 0, n_right_random: 0 },
  next,
  held,
  n_unsegmented: 0,
  maxClassName: 100,
  version: 0,
});

/**
 * @param {QueueState} state
 * @param {QueueAction[]} actions
 */
const after = (state, ...actions) => actions.reduce(reduceQueue, state);

/**
 * @param {Item[]} next
 * @param {Item[]} [held]
 * @returns {Extract<QueueAction, { type: 'applyStatus' }>}
 */
const answer = (next, held) => ({
  type: 'applyStatus',
  status: status(next, held),
  pending: [],
  hasUnsent: false,
});

/**
 * @param {string} name
 * @param {string} requestId
 * @returns {QueueAction}
 */
const annotate = (name, requestId) => ({
  type: 'annotate',
  annotation: label(name),
  requestId,
  now: 0,
});

/** @type {QueueAction} */
const ADVANCE = { type: 'advance' };
/** @type {QueueAction} */
const BACK = { type: 'back' };
/** @type {QueueAction} */
const SKIP = { type: 'skip' };
/** @type {QueueAction} */
const UNDO = { type: 'undo' };

/** Three clips, the first of them shown. */
const opened = () => after(CLOSED, answer([item('a'), item('b'), item('c')]), ADVANCE);

/** @param {QueueState} state */
const counts = ({ status }) => [
  status?.n_labelled,
  ...(status?.classes || []).map(({ name, n }) => `${name} ${n}`),
];

/** @param {QueueState} state */
const files = ({ history }) => history.map(({ file }) => file);

test('what comes is fetched ahead, and shown in its order', () => {
  const state = after(CLOSED, answer([item('a'), item('b'), item('c'), item('d')]));
  assert.deepEqual(
    state.prefetched.map(({ file }) => file),
    ['a', 'b', 'c'].slice(0, N_PREFETCHED),
  );
  assert.equal(currentItem(state), undefined);
  assert.equal(currentItem(after(state, ADVANCE))?.file, 'a');
  assert.equal(currentItem(after(state, ADVANCE, ADVANCE))?.file, 'b');
});

test('no state is changed, a new one is made', () => {
  const state = opened();
  const before = structuredClone(state);
  after(state, annotate('dog', 'r1'), SKIP, BACK, UNDO, answer([item('e')], [item('b')]));
  after(state, { type: 'goTo', item: item('c') }, { type: 'exclude', key: '["a",null,null]' });
  assert.deepEqual(state, before);
});

test('a label is counted, and the next clip is shown', () => {
  const state = after(opened(), annotate('dog', 'r1'));
  assert.equal(currentItem(state)?.file, 'b');
  assert.deepEqual(counts(state), [1, 'dog 1', 'rain 0']);
  const again = after(state, BACK, annotate('rain', 'r2'));
  assert.deepEqual(counts(again), [1, 'dog 0', 'rain 1']);
  assert.equal(currentItem(again)?.file, 'b');
});

test('a class that the server has not listed yet is counted, too', () => {
  const state = after(opened(), annotate('frog', 'r1'));
  assert.deepEqual(counts(state), [1, 'dog 0', 'rain 0', 'frog 1']);
});

test('without another clip nothing is shown, and keys speak of nothing', () => {
  const state = after(opened(), annotate('dog', '1'), annotate('dog', '2'), annotate('dog', '3'));
  assert.equal(currentItem(state), undefined);
  assert.equal(after(state, annotate('rain', '4')), state);
  assert.equal(currentItem(after(state, BACK))?.file, 'c');
});

test('undo restores what stood there, and shows the clip again', () => {
  const state = after(opened(), annotate('dog', 'r1'), BACK, annotate('rain', 'r2'));
  const once = after(state, UNDO);
  assert.equal(currentItem(once)?.file, 'a');
  assert.deepEqual(currentItem(once)?.annotation, label('dog'));
  assert.deepEqual(once.selected, ['dog']);
  assert.deepEqual(counts(once), [1, 'dog 1', 'rain 0']);
  const twice = after(once, UNDO);
  assert.equal(currentItem(twice)?.annotation, null);
  assert.deepEqual(counts(twice), [0, 'dog 0', 'rain 0']);
  assert.equal(after(twice, UNDO), twice);
});

test('a region is undone by the server alone', () => {
  const state = after(opened(), { type: 'pushUndo', requestIds: ['r1'], isRegion: true });
  assert.equal(state.undoStack.length, 1);
  assert.deepEqual(after(state, UNDO), { ...state, undoStack: [] });
});

test('what the server refuses stands as before, and cannot be undone', () => {
  const state = after(opened(), annotate('dog', 'r1'), { type: 'refused', requestId: 'r1' });
  assert.equal(state.history[0].annotation, null);
  assert.deepEqual(counts(state), [0, 'dog 0', 'rain 0']);
  assert.deepEqual(state.undoStack, []);
  assert.equal(currentItem(state)?.file, 'b');
});

test('a refusal leaves a later label of the same clip alone', () => {
  const both = after(opened(), annotate('dog', 'r1'), BACK, annotate('rain', 'r2'));
  const state = after(both, { type: 'refused', requestId: 'r1' });
  assert.deepEqual(state.history[0].annotation, label('rain'));
  assert.equal(after(state, UNDO).history[0].annotation, null);
});

test('what was undone already is not refused again', () => {
  const state = after(opened(), annotate('dog', 'r1'), UNDO);
  assert.equal(after(state, { type: 'refused', requestId: 'r1' }), state);
});

test('a skipped clip is passed over until nothing else is left', () => {
  const state = after(opened(), SKIP);
  assert.equal(currentItem(state)?.file, 'b');
  assert.deepEqual(
    heldPlaces(state, []).map(({ file }) => file),
    ['c', 'a', 'b'],
  );
  const refilled = after(state, answer([item('a'), item('d')]));
  assert.deepEqual(
    refilled.prefetched.map(({ file }) => file),
    ['c', 'd'],
  );
  const asked = after(refilled, { type: 'retrySkipped' }, answer([item('a')]));
  assert.equal(asked.prefetched.at(-1)?.file, 'a');
});

test('going back and on is no skip', () => {
  const state = after(opened(), annotate('dog', 'r1'), BACK, SKIP);
  assert.deepEqual(state.skipped, []);
  assert.equal(currentItem(state)?.file, 'b');
});

test('suggestions are refreshed, but whether one is random stays', () => {
  const suggestion = { name: 'dog', probability: 0.5, source: 'model', isRandom: true };
  const better = { name: 'rain', probability: 0.9, source: 'your labels', isRandom: false };
  const state = after(
    CLOSED,
    answer([item('a', { suggestion })]),
    ADVANCE,
    answer([], [item('a', { suggestion: better })]),
  );
  assert.deepEqual(currentItem(state)?.suggestion, { ...better, isRandom: true });
});

test('what was labelled in another window is not asked about here', () => {
  const elsewhere = item('b', { annotation: label('dog') });
  const state = after(opened(), answer([item('d')], [elsewhere]));
  assert.deepEqual(
    state.prefetched.map(({ file }) => file),
    ['c', 'd'],
  );
});

test('what was undone in another window is asked about again', () => {
  const labelled = after(opened(), annotate('dog', 'r1'));
  const state = after(labelled, answer([item('a')]));
  assert.equal(state.history[0].annotation, null);
  assert.equal(state.prefetched.at(-1)?.file, 'a');
});

test('an answer that does not know the last labels changes no counts', () => {
  const labelled = after(opened(), annotate('dog', 'r1'));
  const late = { ...answer([item('d')]), hasUnsent: true };
  assert.deepEqual(counts(after(labelled, late)), [1, 'dog 1', 'rain 0']);
  assert.equal(after(labelled, late).prefetched.length, 2);
  const pending = [{ file: 'd', start_s: null, end_s: null }];
  assert.equal(after(labelled, { ...late, pending }).prefetched.length, 1);
});

test('a clip that cannot be decoded goes, and the next one comes', () => {
  const state = after(opened(), { type: 'exclude', key: JSON.stringify(['a', null, null]) });
  assert.deepEqual(files(state), ['b']);
  assert.equal(currentItem(state)?.file, 'b');
});

test('a clip that is chosen elsewhere is shown once, with its label', () => {
  const state = after(opened(), annotate('dog', 'r1'));
  const there = after(state, { type: 'goTo', item: item('a', { annotation: label('rain') }) });
  assert.deepEqual(files(there), ['a', 'b']);
  assert.deepEqual(there.selected, ['rain']);
  const coming = after(state, { type: 'goTo', item: item('c') });
  assert.deepEqual([files(coming), coming.prefetched], [['a', 'b', 'c'], []]);
  assert.equal(currentItem(after(state, { type: 'goTo', item: item('z') }))?.file, 'z');
});

test('several classes are chosen and left again', () => {
  /** @param {string} name @returns {QueueAction} */
  const toggle = (name) => ({ type: 'toggleClass', name });
  const state = after(opened(), toggle('dog'), toggle('rain'), toggle('dog'));
  assert.deepEqual(state.selected, ['rain']);
  assert.deepEqual(after(state, { type: 'resetClasses' }).selected, []);
  assert.deepEqual(after(state, ADVANCE).selected, []);
});

test('the pace leaves pauses out', () => {
  /** @param {number[]} seconds */
  const paceOf = (...seconds) =>
    labelsPerMinute({ ...CLOSED, labelTimes: seconds.map((s) => 1000 * s) });
  assert.equal(paceOf(0, 2, 4), 0);
  assert.equal(paceOf(0, 2, 4, 6, 8), 30);
  assert.equal(paceOf(0, 2, 4, 604, 606, 608), 30);
});

test('another project starts with nothing', () => {
  assert.equal(after(opened(), annotate('dog', 'r1'), { type: 'open' }), CLOSED);
});

test('an answer that was overtaken by a later one changes no count', () => {
  const later = answer([item('b')]);
  Object.assign(later.status, { version: 2, n_labelled: 2 });
  const overtaken = answer([item('c')]);
  Object.assign(overtaken.status, { version: 1, n_labelled: 1 });
  const state = after(opened(), later, overtaken);
  assert.equal(state.status?.n_labelled, 2);
  assert.ok(state.prefetched.some(({ file }) => file === 'c')); // what comes next is taken all the same
});
