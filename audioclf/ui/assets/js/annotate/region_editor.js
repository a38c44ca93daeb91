// @ts-check
/* wavesurfer.js and its regions plugin: a page of a recording that is heard, and the regions on it,
   in seconds of the page. */
import { claim } from '../playback.js';
import { caption } from './regions_view.js';

/** @typedef {import('./api.js').Region} Region */
/** @typedef {import('wavesurfer.js').default} WaveSurfer */
/** @typedef {import('wavesurfer.js/dist/plugins/regions.esm.js').default} RegionsPlugin */
/** @typedef {import('wavesurfer.js/dist/plugins/regions.esm.js').Region} DrawnRegion */
/** What a drawn region stands for. @typedef {{ region: Region, text: string, start: number, end: number }} Drawing */
/** @typedef {{ region: Region, start: number, end: number, colour: string, title: string }} PlacedRegion */
/**
 * What is heard of it. onDrawn gives the region that was drawn with the pointer, or null where there
 * may be none. onMoved: by how much its ends were dragged, and which one; else all of it.
 * @typedef {{
 *   onDrawn: (start: number, end: number) => Region | null,
 *   afterDrawn: (region: Region) => void,
 *   onMoved: (region: Region, by: { start: number, end: number }, side?: 'start' | 'end') => void,
 *   onClicked: (region: Region | null, isTwice: boolean) => void,
 *   onTime: (time: number) => void, onPlaying: (isPlaying: boolean) => void, onFinish: () => void,
 *   onReleased: () => void,
 * }} EditorEvents
 */

const HEIGHT_PX = 110;
const DRAG_PX = 4; // a shorter drag is a click

/** @param {string} colour */
const soft = (colour) => `color-mix(in srgb, ${colour} 32%, transparent)`;

/**
 * Whether two stand for one: one that was labelled elsewhere has no id.
 * @param {Region | null} a
 * @param {Region | null} b
 */
export const isSameRegion = (a, b) => {
  if (!a || !b) return false;
  if (a.id) return a.id === b.id;
  return a.start_s === b.start_s && a.end_s === b.end_s && !b.id;
};

async function readScripts() {
  const [editor, plugin] = await Promise.all([
    import('../vendor/wavesurfer.js'),
    import('../vendor/wavesurfer_regions.js'),
  ]);
  return { WaveSurfer: editor.default, RegionsPlugin: plugin.default };
}

export class RegionEditor {
  /**
   * @param {HTMLElement} container
   * @param {EditorEvents} events
   */
  constructor(container, events) {
    this.container = container;
    this.events = events;
    /** @type {ReturnType<typeof readScripts> | null} */
    this.scripts = null;
    /** @type {WaveSurfer | null} */
    this.surfer = null;
    /** @type {RegionsPlugin | null} */
    this.plugin = null;
    /** @type {Map<DrawnRegion, Drawing>} */
    this.drawings = new Map();
    this.url = ''; // of the page's sound
    this.isDrawing = false;
    this.isHeld = false; // somebody drags a region just now
    container.addEventListener(
      'pointerdown',
      () => {
        this.isHeld = true;
      },
      true,
    );
    for (const event of ['pointerup', 'pointercancel']) {
      document.addEventListener(event, () => this.letGo());
    }
  }

  letGo() {
    if (!this.isHeld) return;
    setTimeout(() => {
      this.isHeld = false;
      this.events.onReleased();
    });
  }

  /** The scripts are read when they are needed first; a failure is no reason not to try again. */
  async ready() {
    this.scripts ||= readScripts();
    try {
      return await this.scripts;
    } catch (error) {
      this.scripts = null;
      throw error;
    }
  }

  /**
   * Another page.
   * @param {Blob} blob
   * @param {number[][]} peaks
   * @param {number} duration_s
   * @param {string} colour of regions while they are drawn
   */
  async load(blob, peaks, duration_s, colour) {
    const { WaveSurfer, RegionsPlugin } = await this.ready();
    this.surfer?.destroy();
    this.drawings.clear();
    const style = getComputedStyle(this.container);
    const accent = style.getPropertyValue('--color-accent');
    const plugin = RegionsPlugin.create();
    const surfer = WaveSurfer.create({
      container: this.container,
      height: HEIGHT_PX,
      waveColor: accent,
      progressColor: accent,
      cursorColor: style.color,
      cursorWidth: 2,
      normalize: false,
      plugins: [plugin],
      hideScrollbar: true,
    });
    [this.surfer, this.plugin] = [surfer, plugin];
    plugin.enableDragSelection({ color: soft(colour) }, DRAG_PX);
    this.listenToRegions(surfer, plugin);
    this.listenToPlayback(surfer);
    URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(blob);
    await surfer.load(this.url, peaks, duration_s);
  }

  /**
   * @param {WaveSurfer} surfer
   * @param {RegionsPlugin} plugin
   */
  listenToRegions(surfer, plugin) {
    plugin.on('region-created', (drawn) => {
      if (!this.isDrawing) this.onCreated(drawn);
    });
    plugin.on('region-updated', (drawn, side) => this.onUpdated(drawn, side));
    plugin.on('region-removed', (drawn) => this.drawings.delete(drawn));
    plugin.on('region-clicked', (drawn, event) => {
      event.stopPropagation();
      this.events.onClicked(this.drawings.get(drawn)?.region || null, false);
      surfer.setTime(drawn.start);
    });
    plugin.on('region-double-clicked', (drawn, event) => {
      event.stopPropagation();
      this.events.onClicked(this.drawings.get(drawn)?.region || null, true);
    });
  }

  /** @param {WaveSurfer} surfer */
  listenToPlayback(surfer) {
    surfer.on('timeupdate', (time) => this.events.onTime(time));
    surfer.on('play', () => {
      claim(surfer);
      this.events.onPlaying(true);
    });
    surfer.on('pause', () => this.events.onPlaying(false));
    surfer.on('finish', () => this.events.onFinish());
  }

  /** @param {DrawnRegion} drawn */
  onCreated(drawn) {
    const { start, end } = drawn;
    const region = this.events.onDrawn(start, end);
    if (!region) return drawn.remove();
    this.drawings.set(drawn, { region, text: '', start, end });
    this.events.afterDrawn(region);
  }

  /**
   * @param {DrawnRegion} drawn
   * @param {'start' | 'end'} [side]
   */
  onUpdated(drawn, side) {
    const drawing = this.drawings.get(drawn);
    if (!drawing || this.isDrawing) return;
    const by = { start: drawn.start - drawing.start, end: drawn.end - drawing.end };
    [drawing.start, drawing.end] = [drawn.start, drawn.end];
    this.events.onMoved(drawing.region, by, side);
  }

  /* ---- drawing ---- */

  clear() {
    this.plugin?.clearRegions();
    this.drawings.clear();
  }

  /**
   * Draw these regions, and no others.
   * @param {PlacedRegion[]} placed
   * @param {Region | null} chosen
   */
  draw(placed, chosen) {
    const { plugin } = this;
    if (!plugin) return;
    this.isDrawing = true;
    const there = this.keepDrawn(plugin, placed);
    for (const one of placed) this.drawRegion(plugin, one, there.get(one.region));
    this.outline(chosen);
    this.isDrawing = false;
  }

  /**
   * What stays is changed where it is, so that it may be held meanwhile; the others go.
   * @param {RegionsPlugin} plugin
   * @param {PlacedRegion[]} placed
   */
  keepDrawn(plugin, placed) {
    /** @type {Map<Region, DrawnRegion>} */
    const there = new Map();
    for (const drawn of [...plugin.getRegions()]) {
      const before = this.drawings.get(drawn)?.region || null;
      const found = placed.find(({ region }) => isSameRegion(region, before));
      if (found && !there.has(found.region)) there.set(found.region, drawn);
      else drawn.remove();
    }
    return there;
  }

  /**
   * @param {RegionsPlugin} plugin
   * @param {PlacedRegion} placed
   * @param {DrawnRegion} [there]
   */
  drawRegion(plugin, { region, start, end, colour, title }, there) {
    const drawn = there || plugin.addRegion({ start, end, color: soft(colour) });
    if (Math.abs(drawn.start - start) + Math.abs(drawn.end - end) > 1e-9) {
      drawn.setOptions({ start, end });
    }
    const text = region.names.join(', ');
    if (this.drawings.get(drawn)?.text !== text) drawn.setContent(caption(text));
    this.drawings.set(drawn, { region, text, start: drawn.start, end: drawn.end });
    drawn.element?.style.setProperty('--ac-colour', colour);
    drawn.element?.setAttribute('aria-label', title);
  }

  /** Which of them keys act on. @param {Region | null} chosen */
  outline(chosen) {
    const { color } = getComputedStyle(this.container);
    for (const [drawn, { region }] of this.drawings) {
      const outline = isSameRegion(region, chosen) ? `2px solid ${color}` : '';
      if (drawn.element) drawn.element.style.outline = outline;
    }
  }

  /* ---- playing ---- */

  time() {
    return this.surfer?.getCurrentTime() || 0;
  }

  /** @param {number} time */
  seek(time) {
    this.surfer?.setTime(Math.max(0, time));
  }

  isPlaying() {
    return Boolean(this.surfer?.isPlaying());
  }

  toggle() {
    this.surfer?.playPause();
  }

  /**
   * @param {number} [start]
   * @param {number} [end]
   */
  play(start, end) {
    this.surfer?.play(start, end);
  }

  pause() {
    if (this.isPlaying()) this.surfer?.pause();
  }
}
