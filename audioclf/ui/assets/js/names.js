// @ts-check
/* Names of Gradio's own parts for assistive technology: what is written on a button is part of its
   name (WCAG 2.5.3), and only what has a role has a name. */

const WRITTEN = '.playback[aria-label], .upload-container[aria-label], .boundedheight[aria-label]';
const WITHOUT_ROLE = '.empty[aria-label]:not([role])';

/**
 * The name of a button with what is written on it.
 * @param {string} label
 * @param {string} text
 */
export function nameWith(label, text) {
  const written = text.replace(/\s+/g, ' ').trim();
  return label.includes(written) ? label : `${written}: ${label}`;
}

function alignNames() {
  for (const button of document.querySelectorAll(WRITTEN)) {
    const label = button.getAttribute('aria-label') || '';
    const name = nameWith(label, button.textContent || '');
    if (name !== label) button.setAttribute('aria-label', name);
  }
  for (const part of document.querySelectorAll(WITHOUT_ROLE)) part.setAttribute('role', 'note');
}

/** Keep the names right as parts come and change. */
export function watchNames() {
  let isDue = false;
  const later = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      alignNames();
    });
  };
  const changes = { subtree: true, childList: true, attributeFilter: ['aria-label'] };
  new MutationObserver(later).observe(document.body, changes);
  later();
}
