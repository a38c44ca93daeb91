// @ts-check
/* What the controls and the keys of the queue do. */
import { classOfKey, isHeldDown, nameOf } from './keys.js';
import { undo } from './undo.js';
import { openField } from './view.js';

/** @typedef {import('./queue.js').Queue} Desk */

/**
 * What the controls of the page do.
 * @param {Desk} desk
 * @returns {import('./view.js').Actions}
 */
export function buildActions(desk) {
  return {
    show: (name) => desk.show(name),
    back: () => desk.back(),
    toggle: () => desk.player.toggle(desk.project.current()),
    skip: () => desk.skip(),
    undo: () => undo(desk),
    unsure: () => desk.annotate('unsure', []),
    badAudio: () => desk.annotate('bad audio', []),
    findSimilar: () => desk.browse.findSimilar(desk.project.current()),
    setSwitch: (name, value) => desk.setSwitch(name, value),
    setOrder: (order) => desk.setOrder(order),
    addClass: (event) => desk.addClass(event),
    accept: () => desk.accept(),
    choose: (name) => desk.choose(name),
    askClass: () => openField(desk.els),
    seek: (seconds) => desk.player.play(desk.project.current(), seconds),
  };
}

/**
 * What each key does while clips are labelled one by one.
 * @param {Desk} desk
 * @returns {Record<string, () => void>}
 */
export function buildCommands(desk) {
  const { actions, options } = desk;
  return {
    ' ': actions.toggle,
    ArrowLeft: actions.back,
    ArrowRight: actions.skip,
    Enter: actions.accept,
    s: actions.skip,
    u: actions.undo,
    n: actions.askClass,
    r: () => actions.seek(0),
    0: actions.unsure,
    b: actions.badAudio,
    f: actions.findSimilar,
    e: () => actions.show('regions'),
    a: () => actions.setSwitch('autoplay', !options.autoplay),
    l: () => actions.setSwitch('loop', !options.loop),
    m: () => actions.setSwitch('several', !options.several),
    '?': () => {
      desk.els.keys.open = !desk.els.keys.open;
    },
  };
}

/**
 * Do what a key stands for; whether it stands for something.
 * @param {Desk} desk
 * @param {KeyboardEvent} event
 */
export function runKey(desk, event) {
  const key = nameOf(event);
  const isInRegions = desk.view === 'regions';
  if (!isInRegions && desk.view !== 'queue') return false;
  if (isHeldDown(event)) return true;
  if (isInRegions && desk.regions.runKey(event, key)) return true;
  const classes = desk.project.state.status?.classes || [];
  const i = classOfKey(key, classes.length);
  const command = isInRegions && !['n', 'u', '?'].includes(key) ? undefined : desk.commands[key];
  if (i >= 0) desk.choose(classes[i].name);
  else if (command) command();
  else return false;
  return true;
}
