// @ts-check
/* What stays in the browser; where that is not allowed, nothing does. */

/** @type {import('./outbox.js').Storage} */
export const storage = {
  names: () => attempt(() => Object.keys(localStorage), /** @type {string[]} */ ([])),
  read: (name) => attempt(() => localStorage.getItem(name), null),
  write: (name, text) => attempt(() => localStorage.setItem(name, text), undefined),
  remove: (name) => attempt(() => localStorage.removeItem(name), undefined),
};

/**
 * @template T
 * @param {() => T} act
 * @param {T} otherwise
 */
function attempt(act, otherwise) {
  try {
    return act();
  } catch {
    return otherwise; // private mode
  }
}

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise
 * @returns {T}
 */
export function recall(name, otherwise) {
  return attempt(
    () => JSON.parse(storage.read(`audioclf-${name}`) || 'null') ?? otherwise,
    otherwise,
  );
}

/**
 * @param {string} name
 * @param {unknown} value
 */
export const remember = (name, value) => storage.write(`audioclf-${name}`, JSON.stringify(value));
