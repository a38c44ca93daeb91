// @ts-check
/* What every part of the page draws with. Words from outside are written with textContent only. */

/**
 * A class name, its probability, and its colour where it has one.
 * @typedef {{ class: string, probability: number, colour?: string }} Ranked
 */

/**
 * An element with its class and text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** @param {number} p */
export const percent = (p) =>
  p >= 0.995 ? '> 99 %' : p < 0.005 ? '< 1 %' : `${Math.round(100 * p)} %`;

/** @param {string} name */
export const displayName = (name) => name.replaceAll('_', ' ');

/**
 * The box that a component draws in.
 * @param {Element} element
 * @returns {HTMLElement}
 */
export function boxOf(element) {
  const box = element.querySelector('.ac');
  if (!(box instanceof HTMLElement)) throw new Error('The component has no box to draw in.');
  return box;
}

/** @param {Element} element */
export function clearBox(element) {
  const box = boxOf(element);
  box.replaceChildren();
  return box;
}

/**
 * Say something to whoever does not see the page. One live region for all: it is never replaced,
 * since what appears together with its region is not read.
 * @param {string} text
 */
export function announce(text) {
  const known = document.getElementById('ac-live');
  const region = known || make('div', 'ac-visually-hidden');
  if (!known) {
    region.id = 'ac-live';
    region.setAttribute('role', 'status');
    document.body.append(region);
  }
  region.textContent = text;
}

/**
 * Nothing, or a sentence in its place.
 * @param {Element} element
 * @param {string} [text]
 */
export function showEmpty(element, text) {
  boxOf(element).replaceChildren(...(text ? [make('p', 'ac-empty', text)] : []));
}

/**
 * A sentence that says what is wrong.
 * @param {Element} element
 * @param {string} text
 */
export function showError(element, text) {
  boxOf(element).replaceChildren(make('p', 'ac-error', text));
  announce(text);
}

/** @param {string} [colour] */
export function dot(colour) {
  const mark = make('i', 'ac-dot');
  if (colour) mark.style.background = colour;
  return mark;
}

/**
 * One entry of a legend.
 * @param {string} colour
 * @param {string} text
 */
export function legendItem(colour, text) {
  const mark = make('i');
  mark.style.background = colour;
  const item = make('span');
  item.append(mark, text);
  return item;
}

/** @param {string} text */
export function legendRest(text) {
  const item = make('span');
  item.append(make('i', 'ac-others'), text);
  return item;
}

/** @param {string} text */
export function legendHatched(text) {
  const item = make('span');
  item.append(make('i', 'ac-hatched'), text);
  return item;
}

const HATCH_PX = 7; // between two lines

/**
 * Slanted lines over what is not to be believed as it stands.
 * @param {CanvasRenderingContext2D} pen
 * @param {number} left
 * @param {number} right
 * @param {number} height
 * @param {CSSStyleDeclaration} style
 */
export function hatch(pen, left, right, height, style) {
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, right - left, height);
  pen.clip();
  pen.globalAlpha = 0.7;
  pen.fillStyle = style.getPropertyValue('--background-fill-secondary') || 'gray';
  pen.fillRect(left, 0, right - left, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = style.getPropertyValue('--body-text-color') || 'gray';
  pen.beginPath();
  const first = Math.floor((left - height) / HATCH_PX) * HATCH_PX;
  for (let x = first; x < right; x += HATCH_PX) {
    pen.moveTo(x, height);
    pen.lineTo(x + height, 0);
  }
  pen.stroke();
  pen.restore();
}

/** What the dots at both ends of a lane are. */
export function legendTrimmed() {
  const item = make('span');
  item.append(make('i', 'ac-trimmed'), 'trimmed silence');
  return item;
}

/**
 * A choice of values with their names.
 * @param {string} label
 * @param {[value: string, text: string][]} choices
 */
export function select(label, choices) {
  const field = make('select', 'ac-field ac-order');
  field.setAttribute('aria-label', label);
  for (const [value, text] of choices) {
    const option = make('option', '', text);
    option.value = value;
    field.append(option);
  }
  return field;
}

/**
 * A button that gives the keyboard back when it was pressed.
 * @param {string} text
 * @param {() => void} act
 * @param {string} [title]
 */
export function button(text, act, title) {
  const node = make('button', 'ac-step', text);
  node.type = 'button';
  if (title) node.title = title;
  node.addEventListener('click', () => {
    act();
    node.blur();
  });
  return node;
}

/**
 * Probabilities as bars.
 * @param {Ranked[]} rows
 */
export function bars(rows) {
  const list = make('div', 'ac-bars');
  for (const row of rows) {
    const line = make('div', 'ac-bar');
    const fill = make('span', 'ac-fill');
    fill.style.width = `${100 * row.probability}%`;
    fill.style.background = row.colour || 'var(--color-accent)';
    const track = make('span', 'ac-track');
    track.append(fill);
    const name = make('span', 'ac-name', displayName(row.class));
    line.append(name, track, make('span', 'ac-p', percent(row.probability)));
    list.append(line);
  }
  return list;
}
