// @ts-check
/* The keys of the view Regions. */

/**
 * What each key does.
 * @param {import('./regions.js').Regions} regions
 * @returns {Record<string, (event: KeyboardEvent) => void>}
 */
export function buildRegionKeys(regions) {
  const { edits } = regions;
  const remove = () => edits.remove();
  return {
    ' ': () => regions.editor.toggle(),
    p: () => regions.playChosen(),
    l: () => {
      regions.isLooped = !regions.isLooped;
      regions.els.loop.checked = regions.isLooped;
    },
    Delete: remove,
    Backspace: remove,
    PageDown: () => regions.turnBy(1),
    PageUp: () => regions.turnBy(-1),
    '.': () => regions.chooseNeighbour(1),
    ',': () => regions.chooseNeighbour(-1),
    Enter: () => edits.mark(),
    Escape: () => regions.choose(null),
    '[': () => edits.setEnd('start_s'),
    ']': () => edits.setEnd('end_s'),
    ArrowLeft: (event) => edits.nudge(event.shiftKey, -1),
    ArrowRight: (event) => edits.nudge(event.shiftKey, 1),
  };
}
