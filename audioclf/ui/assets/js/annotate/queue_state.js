// @ts-check
/* Where somebody is in the queue: a pure reducer, (state, action) -> state. Nothing here draws,
   plays or asks the server. */
import { keyOf, placeOf } from './api.js';

/** @typedef {import('./api.js').Annotation} Annotation */
/** @typedef {import('./api.js').Item} Item */
/** @typedef {import('./api.js').Place} Place */
/** @typedef {import('./api.js').Status} Status */
/**
 * What undo takes back: an annotation in the queue with what stood there before; else a region or
 * several annotations at once, of which the server alone knows what stood there.
 * @typedef {{ requestIds: string[], isRegion: boolean, item?: Item, before?: Annotation | null }} UndoEntry
 */
/**
 * @typedef {{
 *   status: Status | null, history: Item[], position: number, prefetched: Item[], skipped: Place[],
 *   undoStack: UndoEntry[], selected: string[], labelTimes: number[],
 * }} QueueState
 *   status: as the server said last, with what was said since. position: of the clip that is shown;
 *   behind the history where none is. selected: its classes, or those of them that are chosen so
 *   far. labelTimes: when the last labels were given, in ms.
 */
/**
 * @typedef {{ type: 'open' }
 *   | { type: 'applyStatus', status: Status, pending: Place[], hasUnsent: boolean }
 *   | { type: 'advance' } | { type: 'back' } | { type: 'skip' }
 *   | { type: 'postpone', place: Place } | { type: 'retrySkipped' }
 *   | { type: 'annotate', annotation: Annotation, requestId: string, now: number }
 *   | { type: 'refused', requestId: string }
 *   | { type: 'pushUndo', requestIds: string[], isRegion: boolean }
 *   | { type: 'undo' }
 *   | { type: 'goTo', item: Item }
 *   | { type: 'exclude', key: string }
 *   | { type: 'dropPrefetched', n_kept: number }
 *   | { type: 'toggleClass', name: string } | { type: 'resetClasses' }} QueueAction
 */

export const N_PREFETCHED = 3;
const N_TIMES = 31;
const PAUSE_MS = 30_000; // a longer gap between two labels is a pause
const UNKNOWN_COLOUR = 'var(--ac-muted)';

/** @type {QueueState} */
export const CLOSED = {
  status: null,
  history: [],
  position: -1,
  prefetched: [],
  skipped: [],
  undoStack: [],
  selected: [],
  labelTimes: [],
};

/* ---- questions ---- */

/** The clip that is shown. @param {QueueState} state @returns {Item | undefined} */
export const currentItem = (state) => state.history[state.position];

/**
 * @param {Place | undefined} a
 * @param {Place | undefined} b
 */
export const isSame = (a, b) => Boolean(a && b && keyOf(a) === keyOf(b));

/**
 * What the server need not name: it is here, was skipped, or its label is on its way.
 * @param {QueueState} state
 * @param {Place[]} pending
 * @returns {Place[]}
 */
export function heldPlaces(state, pending) {
  const item = currentItem(state);
  const shown = item && !item.annotation ? [item] : [];
  return [...state.prefetched, ...state.skipped, ...pending, ...shown].map(placeOf);
}

/** Labels per minute, pauses left out; 0 while there are too few. @param {QueueState} state */
export function labelsPerMinute({ labelTimes }) {
  const gaps = labelTimes.slice(1).map((time, i) => time - labelTimes[i]);
  const working = gaps.filter((gap) => gap < PAUSE_MS);
  if (working.length <= 3) return 0;
  return (
    (working.length * 60_000) /
    Math.max(
      1,
      working.reduce((a, b) => a + b),
    )
  );
}

/* ---- answers ---- */

/**
 * @param {QueueState} state
 * @param {QueueAction} action
 * @returns {QueueState}
 */
export function reduceQueue(state, action) {
  switch (action.type) {
    case 'open':
      return CLOSED;
    case 'applyStatus':
      return applyStatus(state, action);
    case 'advance':
      return advance(state);
    case 'back':
      return state.position > 0 ? show(state, state.position - 1) : state;
    case 'skip':
      return skip(state);
    case 'postpone':
      return { ...state, skipped: [...state.skipped, placeOf(action.place)] };
    case 'retrySkipped':
      return { ...state, skipped: [] };
    case 'annotate':
      return annotate(state, action);
    case 'refused':
      return refused(state, action.requestId);
    case 'pushUndo': {
      const { requestIds, isRegion } = action;
      return { ...state, undoStack: [...state.undoStack, { requestIds, isRegion }] };
    }
    case 'undo':
      return undo(state);
    case 'goTo':
      return goTo(state, action.item);
    case 'exclude':
      return exclude(state, action.key);
    case 'dropPrefetched':
      return { ...state, prefetched: state.prefetched.slice(0, action.n_kept) };
    case 'toggleClass':
      return toggleClass(state, action.name);
    case 'resetClasses':
      return show(state, state.position);
  }
}

/**
 * @param {QueueState} state
 * @param {number} position
 * @returns {QueueState}
 */
function show(state, position) {
  return { ...state, position, selected: state.history[position]?.annotation?.names ?? [] };
}

/**
 * Where the project stands now, and what comes next.
 * @param {QueueState} state
 * @param {{ status: Status, pending: Place[], hasUnsent: boolean }} answer
 *   hasUnsent: the server does not know yet what was said last
 * @returns {QueueState}
 */
function applyStatus(state, { status, pending, hasUnsent }) {
  const fresh = new Map(status.held.map((item) => [keyOf(item), item]));
  /** @param {Item} item @returns {Item} */
  const refresh = (item) => {
    const found = fresh.get(keyOf(item));
    if (!found || item.annotation) return item;
    const isRandom = item.suggestion?.isRandom ?? false;
    return { ...item, suggestion: found.suggestion && { ...found.suggestion, isRandom } };
  };
  let history = state.history.map(refresh);
  const prefetched = state.prefetched
    .map(refresh)
    .filter((item) => !fresh.get(keyOf(item))?.annotation); // those were labelled elsewhere
  const item = history[state.position];
  const shown = item ? [item] : [];
  const held = new Set([...prefetched, ...state.skipped, ...pending, ...shown].map(keyOf));
  for (const next of status.next) {
    if (held.has(keyOf(next)) || prefetched.length >= N_PREFETCHED) continue;
    prefetched.push(next);
    history = annotated(history, next, null); // undone elsewhere
  }
  const isOlder = (state.status?.version ?? -1) > status.version; // it was overtaken on its way
  const kept =
    (hasUnsent || isOlder) && state.status ? state.status : { ...status, next: [], held: [] };
  return { ...state, status: kept, history, prefetched };
}

/** @param {QueueState} state @returns {QueueState} */
function advance(state) {
  if (state.position < state.history.length - 1) return show(state, state.position + 1);
  const [item, ...prefetched] = state.prefetched;
  if (!item) return show(state, state.history.length); // nothing is shown: no key speaks of a clip
  const history = [...state.history, item];
  return show({ ...state, history, prefetched }, history.length - 1);
}

/** @param {QueueState} state @returns {QueueState} */
function skip(state) {
  const item = currentItem(state);
  const isNew = item && !item.annotation && state.position === state.history.length - 1;
  return advance(isNew ? { ...state, skipped: [...state.skipped, placeOf(item)] } : state);
}

/**
 * The clip that is shown gets its annotation, and the next one without any is shown.
 * @param {QueueState} state
 * @param {{ annotation: Annotation, requestId: string, now: number }} action
 * @returns {QueueState}
 */
function annotate(state, { annotation, requestId, now }) {
  const item = currentItem(state);
  if (!item) return state;
  const history = annotated(state.history, item, annotation);
  const entry = { requestIds: [requestId], isRegion: false, item, before: item.annotation };
  const skipped = new Set(state.skipped.map(keyOf));
  const following = history.findIndex(
    (other, i) => i > state.position && !other.annotation && !skipped.has(keyOf(other)),
  );
  return advance({
    ...state,
    status: recount(state.status, item.annotation, annotation),
    history,
    position: (following < 0 ? history.length : following) - 1,
    undoStack: [...state.undoStack, entry],
    labelTimes: [...state.labelTimes, now].slice(-N_TIMES),
  });
}

/**
 * The server would not have it: what stood there before stands there again.
 * @param {QueueState} state
 * @param {string} requestId
 * @returns {QueueState}
 */
function refused(state, requestId) {
  const last = state.undoStack.findLast((entry) => entry.requestIds.includes(requestId));
  if (!last?.item) return state; // undone meanwhile
  const { item } = last;
  const later = state.undoStack.slice(state.undoStack.indexOf(last) + 1);
  const undoStack = state.undoStack.filter((entry) => entry !== last);
  const again = later.find((entry) => isSame(entry.item, item));
  if (again) {
    const before = last.before; // another word stands there by now, and undo goes past this one
    const mended = undoStack.map((entry) => (entry === again ? { ...entry, before } : entry));
    return { ...state, undoStack: mended };
  }
  return { ...restored(state, last), undoStack };
}

/**
 * Take back the last one here, and show its clip again.
 * @param {QueueState} state
 * @returns {QueueState}
 */
function undo(state) {
  const last = state.undoStack.at(-1);
  if (!last) return state;
  const undoStack = state.undoStack.slice(0, -1);
  const { item } = last;
  if (!item) return { ...state, undoStack };
  const isThere = state.history.some((other) => isSame(other, item));
  const history = isThere ? state.history : [...state.history, item];
  const position = history.findIndex((other) => isSame(other, item));
  return show({ ...restored({ ...state, history }, last), undoStack }, position);
}

/**
 * What an entry's clip was before.
 * @param {QueueState} state
 * @param {UndoEntry} entry
 * @returns {QueueState}
 */
function restored(state, { item, before = null }) {
  if (!item) return state;
  const now = state.history.find((other) => isSame(other, item))?.annotation ?? null;
  return {
    ...state,
    status: recount(state.status, now, before),
    history: annotated(state.history, item, before),
  };
}

/**
 * Show a clip that was chosen elsewhere on the page, with what is said of it there.
 * @param {QueueState} state
 * @param {Item} item
 * @returns {QueueState}
 */
function goTo(state, item) {
  const coming = state.prefetched.find((other) => isSame(other, item));
  const prefetched = state.prefetched.filter((other) => other !== coming);
  const isThere = state.history.some((other) => isSame(other, item));
  const history = isThere ? state.history : [...state.history, coming || item];
  const position = history.findIndex((other) => isSame(other, item));
  return show(
    { ...state, prefetched, history: annotated(history, item, item.annotation) },
    position,
  );
}

/**
 * A clip that cannot be played.
 * @param {QueueState} state
 * @param {string} key
 * @returns {QueueState}
 */
function exclude(state, key) {
  const history = state.history.filter((item) => keyOf(item) !== key);
  return advance({ ...state, history, position: history.length - 1 });
}

/**
 * @param {QueueState} state
 * @param {string} name
 * @returns {QueueState}
 */
function toggleClass(state, name) {
  const selected = state.selected.includes(name)
    ? state.selected.filter((other) => other !== name)
    : [...state.selected, name];
  return { ...state, selected };
}

/**
 * @param {Item[]} history
 * @param {Place} place
 * @param {Annotation | null} annotation
 */
const annotated = (history, place, annotation) =>
  history.map((item) => (isSame(item, place) ? { ...item, annotation } : item));

/**
 * The counts after an annotation took the place of another.
 * @param {Status | null} status
 * @param {Annotation | null} before
 * @param {Annotation | null} after
 * @returns {Status | null}
 */
function recount(status, before, after) {
  if (!status) return null;
  const counts = new Map(status.classes.map((one) => [one.name, { ...one }]));
  for (const name of before?.names || []) {
    const one = counts.get(name);
    if (one) one.n -= 1;
  }
  for (const name of after?.names || []) {
    const one = counts.get(name) || { name, n: 0, colour: UNKNOWN_COLOUR };
    one.n += 1;
    counts.set(name, one);
  }
  const n_labelled = status.n_labelled + Number(Boolean(after)) - Number(Boolean(before));
  return { ...status, n_labelled, classes: [...counts.values()] };
}
