// @ts-check
/* What a key means, and whether it is meant for the queue at all. */

const LETTERS = 'qwtyiodghjkzxcv'; // of classes after the ninth; the others are commands

export const KEYS = [
  ['1 to 9, letters', 'choose a class and go on'],
  ['Enter', 'accept the suggestion'],
  ['Space', 'play, pause'],
  ['← →', 'back and forth'],
  ['U', 'undo'],
  ['S', 'skip'],
  ['N', 'new class'],
  ['0', 'not sure'],
  ['B', 'bad audio'],
  ['F', 'find more like this'],
  ['E', 'mark regions in this recording'],
  ['R', 'from its beginning'],
  ['A', 'autoplay'],
  ['L', 'loop'],
  ['M', 'several classes'],
  ['?', 'these keys'],
];
const MOVES = ['Enter', ' ', 'ArrowLeft', 'ArrowRight']; // that work a control, too
const NOT_TYPED = ['checkbox', 'radio', 'range', 'button']; // inputs that take no text

/** The key of a class. @param {number} i */
export const keyOfClass = (i) => (i < 9 ? String(i + 1) : LETTERS[i - 9] || '');

/**
 * The number of the class that a key names, or -1.
 * @param {string} key
 * @param {number} n_classes
 */
export function classOfKey(key, n_classes) {
  for (let i = 0; i < n_classes; i++) if (keyOfClass(i) === key) return i;
  return -1;
}

/** @param {KeyboardEvent} event */
export const nameOf = ({ key }) => (key.length === 1 ? key.toLowerCase() : key);

/** Held down: one key, one clip; arrows alone repeat. @param {KeyboardEvent} event */
export const isHeldDown = ({ repeat, key }) => repeat && !key.startsWith('Arrow');

/** @param {Event} event */
export function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}

/** @param {EventTarget | null} node */
function isTyping(node) {
  if (!(node instanceof HTMLElement)) return false;
  if (node instanceof HTMLInputElement) return !NOT_TYPED.includes(node.type);
  return node.isContentEditable || ['TEXTAREA', 'SELECT'].includes(node.tagName);
}

/**
 * Tell keys that are meant for the queue from those that are typed, or that work a control which
 * was reached with the keyboard.
 * @returns {(event: KeyboardEvent) => boolean}
 */
export function watchFocus() {
  let lastInput = '';
  document.addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Tab') lastInput = 'Tab';
    },
    true,
  );
  document.addEventListener(
    'pointerdown',
    () => {
      lastInput = 'pointer';
    },
    true,
  );
  /** @param {KeyboardEvent} event */
  const worksControl = ({ target, key }) =>
    MOVES.includes(key) &&
    lastInput === 'Tab' &&
    target instanceof Element &&
    target !== document.body &&
    target.matches('button, a, input, [role=tab], summary, [tabindex]') &&
    !target.closest('.ac-lanes');
  return (event) => {
    const isCommand = event.ctrlKey || event.metaKey || event.altKey;
    return !isCommand && !isTyping(event.target) && !worksControl(event);
  };
}
