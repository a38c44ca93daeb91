// @ts-check
/* One zone for every file: whatever is dropped on the player or chosen in its zone goes to an upload
   that takes any container, also while another sound is there. */

/**
 * @param {string} zone id of the player
 * @param {string} upload id of the component that takes every file
 */
export function startDropZone(zone, upload) {
  /** @param {FileList | null | undefined} files */
  const take = (files) => {
    const target = document.getElementById(upload)?.previousElementSibling;
    if (!(target instanceof HTMLInputElement) || !files?.length) return false;
    const one = new DataTransfer();
    one.items.add(files[0]);
    target.files = one.files;
    target.dispatchEvent(new Event('change', { bubbles: true }));
    return true;
  };
  /** @param {Event} event */
  const isInZone = (event) =>
    event.target instanceof Element && event.target.closest(`#${zone}`) !== null;
  document.addEventListener(
    'change',
    (event) => {
      const input = event.target;
      if (!(input instanceof HTMLInputElement) || input.type !== 'file' || !isInZone(event)) return;
      if (take(input.files)) event.stopPropagation();
    },
    true,
  );
  document.addEventListener('dragover', (event) => isInZone(event) && event.preventDefault(), true);
  document.addEventListener(
    'drop',
    (event) => {
      if (!isInZone(event) || !take(event.dataTransfer?.files)) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
  const openAll = () => {
    for (const input of document.querySelectorAll(`#${zone} input[type=file]`))
      input.removeAttribute('accept'); // browsers would hide webm and caf
  };
  new MutationObserver(openAll).observe(document.body, { childList: true, subtree: true });
  openAll();
}
