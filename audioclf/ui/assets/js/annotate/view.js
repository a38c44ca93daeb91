// @ts-check
/* The elements of the tab Label, and what is drawn of the queue's state in them. */
import { button, dot, make, percent, select } from '../dom.js';
import { drawPeaks, drawPictures, frame } from '../plot.js';
import { KEYS, keyOfClass } from './keys.js';
import { titleOf } from './player.js';
import { labelsPerMinute } from './queue_state.js';

/** @typedef {import('./api.js').Clip} Clip */
/** @typedef {import('./api.js').ClassCount} ClassCount */
/** @typedef {import('./api.js').Item} Item */
/** @typedef {import('./api.js').Status} Status */
/** @typedef {'queue' | 'regions' | 'clips' | 'map'} ViewName */
/** @typedef {'autoplay' | 'loop' | 'several'} Switch */
/**
 * What the page's controls do.
 * @typedef {{
 *   show: (name: ViewName) => void, back: () => void, toggle: () => void, skip: () => void,
 *   undo: () => void, unsure: () => void, badAudio: () => void, findSimilar: () => void,
 *   setSwitch: (name: Switch, value: boolean) => void, setOrder: (order: string) => void,
 *   addClass: (event: KeyboardEvent) => void, accept: () => void, choose: (name: string) => void,
 *   askClass: () => void, seek: (seconds: number) => void,
 * }} Actions
 */

/** @type {[ViewName, string][]} */
export const VIEWS = [
  ['queue', 'One by one'],
  ['regions', 'Regions'],
  ['clips', 'All clips'],
  ['map', 'Map'],
];
/** @type {[string, string][]} */
const ORDERS = [
  ['useful', 'most informative first'],
  ['certain', 'most certain first'],
  ['filed', 'as filed'],
];
/** @type {[Switch, string, string][]} */
const SWITCHES = [
  ['autoplay', 'Autoplay', 'A'],
  ['loop', 'Loop', 'L'],
  ['several', 'Several classes', 'M'],
];

/** @param {number} n @param {string} noun */
export const plural = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** @param {import('./api.js').Annotation | null} annotation */
export const inWords = (annotation) =>
  annotation ? annotation.names.join(', ') || annotation.kind.replace('unsure', 'not sure') : '';

/* ---- the elements ---- */

/**
 * @param {Element} box
 * @param {Actions} actions
 * @param {{ order: string } & Record<Switch, boolean>} options
 */
export function buildView(box, actions, options) {
  const els = {
    root: make('div'),
    bar: make('span', 'ac-fill'),
    progress: make('span', 'ac-progress'),
    unsaved: make('span', 'ac-unsaved'),
    message: make('p', 'ac-empty'),
    errors: make('details', 'ac-rest'),
    errorsTitle: make('summary'),
    errorList: make('ul'),
    naming: make('div'), // classes and the field for new ones: in the queue, and in the regions
    classes: make('div', 'ac-classes'),
    adding: make('div', 'ac-where'),
    typed: make('input', 'ac-field'),
    knownClasses: make('datalist'),
    clip: make('div'),
    title: make('span', 'ac-soundname'),
    play: button('Play', actions.toggle, 'Space'),
    lanes: make('div', 'ac-lanes'),
    suggestion: make('div', 'ac-where'),
    slot: make('div'),
    accuracy: make('p', 'ac-note'),
    end: make('p', 'ac-sentence'),
    similar: make('div'),
    keys: make('details', 'ac-rest'),
    views: {
      queue: make('div', 'ac-view'),
      regions: make('div', 'ac-view'),
      clips: make('div', 'ac-view'),
      map: make('div', 'ac-view'),
    },
    tabs: /** @type {Record<ViewName, HTMLButtonElement>} */ ({}),
    switches: /** @type {Record<Switch, HTMLInputElement>} */ ({}),
  };
  els.progress.setAttribute('role', 'status');
  els.message.setAttribute('role', 'alert');
  els.errors.append(els.errorsTitle, els.errorList);
  els.naming.append(els.classes, buildField(els, actions));
  els.views.queue.append(buildClip(els, actions, options), els.end);
  els.root.append(
    buildHead(els),
    buildTabs(els, actions),
    els.message,
    els.errors,
    ...VIEWS.map(([name]) => els.views[name]),
    els.similar,
    buildKeys(els),
  );
  els.root.hidden = true;
  box.append(els.root);
  return els;
}

/** @typedef {ReturnType<typeof buildView>} Elements */

/** @param {Elements} els */
function buildHead(els) {
  const head = make('div', 'ac-deskhead');
  const track = make('div', 'ac-track');
  track.append(els.bar);
  head.append(els.progress, els.unsaved, track);
  return head;
}

/** @param {Elements} els @param {Actions} actions */
function buildTabs(els, actions) {
  const tabs = make('div', 'ac-switch');
  for (const [name, text] of VIEWS) {
    els.tabs[name] = button(text, () => actions.show(name));
    tabs.append(els.tabs[name]);
  }
  return tabs;
}

/**
 * @param {Elements} els
 * @param {Actions} actions
 * @param {{ order: string } & Record<Switch, boolean>} options
 */
function buildClip(els, actions, options) {
  const where = make('div', 'ac-where');
  const back = button('◀', actions.back, 'Back (←)');
  where.append(back, els.play, button('▶', actions.skip, 'On (→)'), els.title);
  const order = select('Order', ORDERS);
  order.value = options.order;
  order.addEventListener('change', () => {
    actions.setOrder(order.value);
    order.blur();
  });
  const switches = make('div', 'ac-switches');
  for (const [name, text, key] of SWITCHES) {
    switches.append(buildSwitch(els, actions, name, text, key));
    els.switches[name].checked = options[name];
  }
  switches.append(order);
  const others = make('div', 'ac-where');
  others.append(
    button('Undo (U)', actions.undo),
    button('Skip (S)', actions.skip),
    button('Not sure (0)', actions.unsure),
    button('Bad audio (B)', actions.badAudio),
    button('More like this (F)', actions.findSimilar),
    button('Regions (E)', () => actions.show('regions')),
  );
  els.clip.append(where, els.lanes, els.suggestion, els.slot, others, switches, els.accuracy);
  return els.clip;
}

/**
 * @param {Elements} els
 * @param {Actions} actions
 * @param {Switch} name
 * @param {string} text
 * @param {string} key
 */
function buildSwitch(els, actions, name, text, key) {
  const label = make('label', 'ac-toggle');
  const box = make('input');
  box.type = 'checkbox';
  box.addEventListener('change', () => {
    actions.setSwitch(name, box.checked);
    box.blur();
  });
  label.append(box, text);
  label.title = key;
  els.switches[name] = box;
  return label;
}

/** @param {Elements} els @param {Actions} actions */
function buildField(els, actions) {
  els.knownClasses.id = 'ac-known';
  els.typed.setAttribute('list', els.knownClasses.id);
  els.typed.placeholder = 'name of a class, or several with commas';
  els.typed.setAttribute('aria-label', 'New class');
  els.typed.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      event.preventDefault();
      if (!event.repeat) actions.addClass(event);
    }
    if (event.key === 'Escape') closeField(els);
    event.stopPropagation();
  });
  const hint = 'Enter gives it to this clip; Shift+Enter only adds it; Esc leaves.';
  els.adding.append(els.typed, els.knownClasses, make('span', 'ac-note', hint));
  els.adding.hidden = true;
  return els.adding;
}

/** @param {Elements} els */
export function openField(els) {
  els.adding.hidden = false;
  els.typed.focus();
}

/** @param {Elements} els */
export function closeField(els) {
  els.adding.hidden = true;
  els.typed.blur();
}

/** @param {Elements} els */
function buildKeys(els) {
  const list = make('dl', 'ac-keys');
  for (const [key, text] of KEYS) {
    const row = make('div');
    const name = make('dt');
    name.append(make('kbd', '', key));
    row.append(name, make('dd', '', text));
    list.append(row);
  }
  els.keys.append(make('summary', '', 'Keys (?)'), list);
  return els.keys;
}

/* ---- what is drawn in them ---- */

/** @param {Elements} els @param {string} text @param {boolean} [isError] */
export function showMessage(els, text, isError) {
  els.message.textContent = text;
  els.message.className = isError ? 'ac-error' : 'ac-empty';
  els.message.hidden = !text;
}

/** @param {Elements} els @param {import('./outbox.js').OutboxState} state */
export function drawUnsent({ unsaved }, { entries, failure }) {
  const isKept = failure !== null && entries.length > 0;
  unsaved.textContent = isKept
    ? `Not saved yet: ${entries.length}. Kept here, and sent again…`
    : '';
  unsaved.title = failure || '';
}

/** @param {Elements} els */
export const showLoading = (els) =>
  els.lanes.replaceChildren(make('p', 'ac-empty ac-coming', 'Loading…'));

/** A clip before it is there. @param {Elements} els @param {Item} item */
export function drawClip(els, item) {
  els.end.hidden = true;
  els.end.textContent = '';
  els.clip.hidden = false;
  els.title.textContent = titleOf(item);
  els.title.title = item.file;
  els.play.textContent = 'Play';
}

/** @param {Elements} els @param {Actions} actions @param {Clip} clip */
export function drawLanes(els, actions, { waveform, spectrogram }) {
  const { seek } = actions;
  els.lanes.replaceChildren();
  const plot = frame(els.lanes, waveform.title, { ...waveform, seek });
  plot.classList.add('ac-waveform');
  drawPeaks(plot, waveform);
  drawPictures(els.lanes, { ...spectrogram, seek });
}

/** @param {Elements} els @param {Status | null} status */
export function drawEnd(els, status) {
  els.clip.hidden = true;
  els.end.textContent = status?.n_total
    ? `That is all: ${status.n_labelled} of ${status.n_total} clips are labelled. ← looks at the last ones again; what follows stands below.`
    : 'There is nothing to label in this data set: add files to it, or change its segmentation.';
  els.end.hidden = false;
}

/**
 * Everything that follows from where the project stands.
 * @param {Elements} els
 * @param {Actions} actions
 * @param {import('./queue_state.js').QueueState & { status: Status }} state
 * @param {Item | undefined} item
 * @param {(name: string) => boolean} isPressed whether a class is the chosen one
 */
export function drawStatus(els, actions, state, item, isPressed) {
  const { status } = state;
  drawProgress(els, status, labelsPerMinute(state));
  els.errors.hidden = !status.n_errors;
  const are = status.n_errors === 1 ? 'is' : 'are';
  els.errorsTitle.textContent = `${plural(status.n_errors, 'file')} cannot be decoded, and ${are} skipped`;
  els.errorList.replaceChildren(...status.errors.map(([, reason]) => make('li', '', reason)));
  drawSuggestion(els, actions, status, item);
  els.classes.replaceChildren(
    ...status.classes.map((one, i) => classButton(actions, one, i, isPressed(one.name))),
    newClassButton(actions),
  );
  els.knownClasses.replaceChildren(
    ...status.classes.map((one) => {
      const option = make('option');
      option.value = one.name;
      return option;
    }),
  );
}

/** @param {Elements} els @param {Status} status @param {number} perMinute */
function drawProgress(els, { n_total, n_labelled, kinds }, perMinute) {
  const n_left = Math.max(0, n_total - n_labelled);
  const parts = [`${n_labelled} of ${n_total} labelled`];
  if (perMinute) parts.push(`${Math.round(perMinute)} per minute`);
  if (perMinute && n_left) {
    parts.push(`about ${Math.max(1, Math.round(n_left / perMinute))} min left`);
  }
  if (kinds.unsure) parts.push(`${kinds.unsure} not sure`);
  if (kinds['bad audio']) parts.push(`${kinds['bad audio']} bad audio`);
  els.progress.textContent = parts.join(' · ');
  els.bar.style.width = `${(100 * n_labelled) / Math.max(1, n_total)}%`;
}

/** @param {Actions} actions @param {ClassCount} one @param {number} i @param {boolean} isPressed */
function classButton(actions, one, i, isPressed) {
  const node = button('', () => actions.choose(one.name), one.name);
  node.className = 'ac-class';
  const name = make('span', 'ac-name', one.name);
  node.append(
    make('kbd', '', keyOfClass(i)),
    dot(one.colour),
    name,
    make('span', 'ac-n', String(one.n)),
  );
  node.setAttribute('aria-pressed', String(isPressed));
  return node;
}

/** @param {Actions} actions */
function newClassButton(actions) {
  const node = button('', actions.askClass, 'New class');
  node.className = 'ac-class ac-new';
  node.append(make('kbd', '', 'N'), make('span', 'ac-name', 'new class'));
  return node;
}

/** @param {Elements} els @param {Actions} actions @param {Status} status @param {Item | undefined} item */
function drawSuggestion(els, actions, { embedding, accuracy }, item) {
  els.suggestion.replaceChildren();
  const suggestion = item?.suggestion;
  if (suggestion) {
    const accept = button('', actions.accept, 'Accept the suggestion');
    accept.className = 'ac-class ac-accept';
    accept.append(
      make('kbd', '', 'Enter'),
      make('span', 'ac-name', suggestion.name),
      make('span', 'ac-n', suggestion.probability === null ? '' : percent(suggestion.probability)),
    );
    const random = suggestion.isRandom ? '; random check' : '';
    const source = make('span', 'ac-note', `suggested by ${suggestion.source}${random}`);
    els.suggestion.append(accept, source);
  } else els.suggestion.append(make('span', 'ac-note', whyNoSuggestion(embedding)));
  if (item?.annotation) {
    els.suggestion.append(make('span', 'ac-said', `Your label: ${inWords(item.annotation)}`));
  }
  els.accuracy.textContent = accuracyInWords(accuracy);
}

/** @param {import('./api.js').EmbeddingStatus} embedding */
function whyNoSuggestion({ error, kind, isReady, model, n_done, n_total }) {
  if (error) return error;
  if (kind === 'none')
    return 'No suggestions: choose an embedding model under “Suggestions” below.';
  if (!isReady)
    return `${model} computes embeddings: ${n_done} of ${n_total} clips. Label meanwhile.`;
  return 'Suggestions come when two classes have a label.';
}

/** @param {import('./api.js').Accuracy} accuracy */
function accuracyInWords({ n_labels, n_right, n_random, n_right_random }) {
  if (!n_labels) return '';
  const random = n_random ? ` (${n_right_random} of ${n_random} random checks)` : '';
  return `Suggestions were right for ${n_right} of your last ${plural(n_labels, 'label')}${random}.`;
}
