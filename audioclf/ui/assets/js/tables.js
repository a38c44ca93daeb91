// @ts-check
/* A click on a header sorts its table, as Gradio's menu behind the ⋮ does: first up, then down. */

const HEADER = '.ac-table th[role="columnheader"]';
const MENU = '.cell-menu[role="menu"] [role="menuitem"]';
const PATIENCE_FRAMES = 10;

/**
 * @param {number} place of the entry in the menu that opens: 0 sorts up, 1 down
 * @param {number} frames that are waited for it
 */
function choose(place, frames = PATIENCE_FRAMES) {
  const entries = document.querySelectorAll(MENU);
  const entry = entries[place];
  if (entry instanceof HTMLElement) entry.click();
  else if (frames > 0) requestAnimationFrame(() => choose(place, frames - 1));
}

/** @param {Event} event */
function sortAt(event) {
  const { target } = event;
  if (!(target instanceof Element) || target.closest('button')) return;
  const header = target.closest(HEADER);
  const menu = header?.querySelector('.cell-menu-button');
  if (!(header instanceof HTMLElement) || !(menu instanceof HTMLElement)) return;
  const isUp = header.dataset.sorted === 'up';
  header.dataset.sorted = isUp ? 'down' : 'up';
  requestAnimationFrame(() => {
    menu.click(); // after Gradio's own handler, which would close it
    choose(isUp ? 1 : 0);
  });
}

/** Sort tables at a click on a header. */
export function sortAtHeaders() {
  document.addEventListener('click', sortAt, { capture: true }); // Gradio's tables stop it
}
