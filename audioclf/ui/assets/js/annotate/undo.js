// @ts-check
/* Undo: the last annotation is taken back, here and on the server. */
import * as api from './api.js';

/** @typedef {import('./queue.js').Queue} Desk */

const SYNC_MS = 800; // after an undo, when suggestions follow from the labels as they are now

/**
 * Take back the last annotation, of this page or of an earlier one.
 * @param {Desk} desk
 */
export function undo(desk) {
  const { settings } = desk.project;
  const last = desk.project.state.undoStack.at(-1);
  if (!settings) return;
  if (!last) {
    undoEarlier(desk, settings);
    return;
  }
  desk.project.dispatch({ type: 'undo' });
  for (const requestId of last.requestIds) {
    desk.project.post(api.undoAnnotation(settings, requestId)).then(() => {
      if (!last.item) desk.refreshView();
    });
  }
  if (!last.item) return;
  desk.player.pause();
  desk.showCurrent();
  setTimeout(() => desk.project.sync(), SYNC_MS);
}

/**
 * What was annotated before this page was opened.
 * @param {Desk} desk
 * @param {api.Settings} settings
 */
async function undoEarlier(desk, settings) {
  const undone = (await desk.project.post(api.undoAnnotation(settings)))?.undone;
  if (undone?.isRenamedClass) {
    await desk.open(); // every clip that is shown may have another class now
    desk.showMessage(`Undone: “${undone.names[0]}” is no longer “${undone.names[1]}”.`);
    return;
  }
  if (undone && !undone.isRegion && desk.view === 'queue') {
    desk.goTo({ ...api.placeOf(undone), suggestion: null, annotation: undone.annotation });
  }
  desk.showMessage(undone ? `Undone: ${undone.file}.` : 'There is nothing to undo.');
  desk.refreshView();
}
