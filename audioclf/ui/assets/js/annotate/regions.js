// @ts-check
/* Regions of a recording, over wavesurfer.js and its regions plugin: a page of it at a time.

   The page's sound, waveform and spectrogram come from the server; the ends of a region are seconds
   of the recording, which the server moves to the nearest samples. */
import { button, dot, make } from '../dom.js';
import { claim } from '../playback.js';
import { canvas, drawPictures } from '../plot.js';
import { isStale, newId, saveRegion } from './api.js';
import { formatTime } from './player.js';
import { buildRegions, caption, paintOverview } from './regions_view.js';
import { openField, plural } from './view.js';

/** @typedef {import('./api.js').Item} Item */
/** @typedef {import('./api.js').Region} Region */
/** @typedef {import('./api.js').Span} Span */
/** @typedef {import('./regions_view.js').OutlinedRecording} OutlinedRecording */
/** @typedef {import('wavesurfer.js').default} WaveSurfer */
/** @typedef {import('wavesurfer.js/dist/plugins/regions.esm.js').default} RegionsPlugin */
/** @typedef {import('wavesurfer.js/dist/plugins/regions.esm.js').Region} DrawnRegion */
/** What a drawn region stands for. @typedef {{ region: Region, text: string, start: number, end: number }} Drawing */

const HEIGHT_PX = 110;
const SHORT_S = 60; // a recording that is shown at once
const NUDGE_S = 0.01;
const MARKED_S = 1; // of a region that Enter makes
const MAX_ROWS = 200;
const DRAG_PX = 4; // a shorter drag is a click
const GREY = '#8c929e';

/** @param {number} s */
const clock = (s) => formatTime(s, 2);

/** @param {string} colour */
const soft = (colour) => `color-mix(in srgb, ${colour} 32%, transparent)`;

/**
 * Whether two stand for one: one that was labelled elsewhere has no id.
 * @param {Region | null} a
 * @param {Region | null} b
 */
const isSameRegion = (a, b) => {
  if (!a || !b) return false;
  if (a.id) return a.id === b.id;
  return a.start_s === b.start_s && a.end_s === b.end_s && !b.id;
};

/** Read when the view is opened first. */
async function readEditor() {
  const [editor, plugin] = await Promise.all([
    import('../vendor/wavesurfer.js'),
    import('../vendor/wavesurfer_regions.js'),
  ]);
  return { WaveSurfer: editor.default, RegionsPlugin: plugin.default };
}

export class Regions {
  /** @param {import('./queue.js').Queue} desk */
  constructor(desk) {
    this.desk = desk;
    /** @type {ReturnType<typeof readEditor> | null} */
    this.editor = null;
    /** @type {WaveSurfer | null} */
    this.surfer = null;
    /** @type {RegionsPlugin | null} */
    this.plugin = null;
    /** @type {Map<DrawnRegion, Drawing>} */
    this.drawings = new Map();
    /** @type {OutlinedRecording | null} */
    this.recording = null;
    /** @type {Span | null} */
    this.page = null;
    this.pageUrl = ''; // of its sound
    /** @type {Region | null} */
    this.chosen = null; // that keys act on
    this.lastName = '';
    this.isLooped = false;
    this.isDrawing = false;
    this.isHeld = false; // somebody drags one of them just now
    this.isDrawnLater = false;
    this.goesOn = false; // playback, on the next page
    this.n_turns = 0;
    this.n_sent = 0;
    this.n_shown = 0;
    this.els = buildRegions(desk.els.views.regions, {
      back: () => this.turnBy(-1),
      forward: () => this.turnBy(1),
      toggle: () => this.surfer?.playPause(),
      setLength: () => this.setLength(),
      setLoop: (isLooped) => {
        this.isLooped = isLooped;
      },
      hold: () => {
        this.isHeld = true;
      },
      centreAt: (fraction) => this.centreAt(fraction),
    });
    this.paint = canvas(this.els.strip, (...on) => {
      const { recording, page } = this;
      if (recording && page) paintOverview(recording, page, (name) => this.colourOf(name))(...on);
    });
    for (const event of ['pointerup', 'pointercancel']) {
      document.addEventListener(event, () => this.letGo());
    }
    this.keys = this.buildKeys();
  }

  /** @param {string | undefined} name */
  colourOf(name) {
    return this.desk.classNamed(name)?.colour || GREY;
  }

  outlineStyle() {
    return `2px solid ${getComputedStyle(this.els.wave).color}`;
  }

  /** @param {unknown} error */
  report(error) {
    this.desk.report(error);
  }

  /* ---- a recording ---- */

  /** @param {Item | undefined} item */
  async show(item) {
    const { recording, page, els } = this;
    if (!item) {
      if (!recording) els.what.textContent = 'Choose a clip under “All clips” first.';
      return;
    }
    if (recording?.file === item.file && page) {
      await this.refresh();
      const isElsewhere = item.start_s !== null && !this.isOnPage(item.start_s);
      if (isElsewhere) await this.turn(Number(item.start_s) - 1).catch((e) => this.report(e));
      return;
    }
    await this.open(item);
  }

  /** @param {Item} item */
  async open(item) {
    this.clear(); // nothing of another recording may be drawn or moved meanwhile
    const number = this.n_shown;
    this.els.what.textContent = 'Loading…';
    try {
      this.editor ||= readEditor();
      await this.editor;
      const recording = await this.desk.api.openRecording(item.file);
      if (number !== this.n_shown) return;
      this.recording = recording;
      this.els.length.value = recording.duration_s <= SHORT_S ? '60' : '30';
      await this.turn(item.start_s ? item.start_s - 1 : 0);
      if (this.recording === recording) await this.readOutline(recording);
    } catch (error) {
      if (number === this.n_shown) this.clear();
      if (!isStale(error)) this.report(error);
    }
  }

  /** The regions as the server has them. */
  async refresh() {
    const { recording } = this;
    if (!recording) return;
    try {
      const { regions } = await this.desk.api.openRecording(recording.file);
      if (this.recording !== recording) return;
      recording.regions = regions;
      this.draw();
    } catch (error) {
      this.report(error);
    }
  }

  /** Another data set. */
  forget() {
    this.clear();
    this.lastName = '';
  }

  clear() {
    this.pause();
    this.n_turns += 1;
    this.n_shown += 1;
    [this.recording, this.page, this.chosen] = [null, null, null];
    this.els.what.textContent = '';
    this.els.list.replaceChildren();
    this.plugin?.clearRegions();
    this.drawings.clear();
  }

  /** @param {OutlinedRecording} recording */
  async readOutline(recording) {
    this.els.strip.hidden = recording.duration_s <= Number(this.els.length.value);
    if (this.els.strip.hidden) return;
    recording.outline = await this.desk.api.readOutline(recording.file);
    this.paint();
  }

  /* ---- a page ---- */

  /** @param {number} time */
  isOnPage(time) {
    return Boolean(this.page && time >= this.page.start_s && time < this.page.end_s);
  }

  /** @param {number} start */
  async turn(start) {
    const { recording, els } = this;
    if (!recording) return;
    const number = ++this.n_turns;
    const length = Math.min(Number(els.length.value), recording.duration_s);
    const start_s = Math.max(0, Math.min(start, recording.duration_s - length));
    const clip = await this.desk.api.readPage(recording.file, start_s, start_s + length);
    if (number !== this.n_turns) return;
    const blob = await (await fetch(clip.audioUrl)).blob();
    if (number !== this.n_turns) return;
    const page = { start_s: clip.start_s, end_s: clip.end_s };
    this.page = page;
    els.pictures.replaceChildren();
    const surfer = await this.makeSurfer();
    if (number !== this.n_turns) return;
    /** @param {number} s */
    const seek = (s) => surfer.setTime(s);
    drawPictures(els.pictures, { ...clip.spectrogram, from_s: page.start_s, seek });
    const peaks = [1, 0].map((i) => clip.waveform.peaks.map((both) => both[i] / 127));
    URL.revokeObjectURL(this.pageUrl);
    this.pageUrl = URL.createObjectURL(blob);
    await surfer.load(this.pageUrl, peaks, page.end_s - page.start_s);
    if (number !== this.n_turns) return;
    els.peak.textContent = clip.waveform.ticks?.[2]?.label || '';
    this.showTime(0);
    this.draw();
    if (!this.goesOn) return;
    this.goesOn = false;
    surfer.play();
  }

  /** @param {1 | -1} by */
  turnBy(by) {
    const { page } = this;
    if (!page) return;
    const to = by > 0 ? page.end_s : page.start_s - (page.end_s - page.start_s);
    this.turn(to).catch((error) => this.report(error));
  }

  setLength() {
    if (!this.recording) return;
    this.turn(this.page ? this.page.start_s : 0).catch((error) => this.report(error));
    this.readOutline(this.recording).catch(() => {}); // the page is what counts
  }

  /** @param {number} fraction of the recording */
  centreAt(fraction) {
    const { recording, page } = this;
    if (!recording || !page) return;
    const start = fraction * recording.duration_s - (page.end_s - page.start_s) / 2;
    this.turn(start).catch((error) => this.report(error));
  }

  /** @param {number} time on the page */
  showTime(time) {
    const { recording, page, els } = this;
    if (!recording || !page) return;
    const fraction = time / (page.end_s - page.start_s);
    els.pictures.style.setProperty('--audioclf-at', String(fraction));
    els.when.textContent = `${clock(page.start_s + time)} of ${clock(recording.duration_s)} s`;
  }

  async makeSurfer() {
    this.editor ||= readEditor();
    const { WaveSurfer, RegionsPlugin } = await this.editor;
    this.surfer?.destroy();
    const style = getComputedStyle(this.els.wave);
    const colour = style.getPropertyValue('--color-accent');
    const plugin = RegionsPlugin.create();
    const surfer = WaveSurfer.create({
      container: this.els.wave,
      height: HEIGHT_PX,
      waveColor: colour,
      progressColor: colour,
      cursorColor: style.color,
      cursorWidth: 2,
      normalize: false,
      plugins: [plugin],
      hideScrollbar: true,
    });
    [this.surfer, this.plugin] = [surfer, plugin];
    this.drawings.clear();
    this.listenToRegions(surfer, plugin);
    this.listenToPlayback(surfer);
    return surfer;
  }

  /**
   * @param {WaveSurfer} surfer
   * @param {RegionsPlugin} plugin
   */
  listenToRegions(surfer, plugin) {
    plugin.enableDragSelection({ color: soft(this.colourOf(this.lastName)) }, DRAG_PX);
    plugin.on('region-created', (drawn) => {
      if (!this.isDrawing) this.onDrawn(drawn);
    });
    plugin.on('region-updated', (drawn, side) => this.onMoved(drawn, side));
    plugin.on('region-removed', (drawn) => this.drawings.delete(drawn));
    plugin.on('region-clicked', (drawn, event) => {
      event.stopPropagation();
      this.choose(this.drawings.get(drawn)?.region || null);
      surfer.setTime(drawn.start);
    });
    plugin.on('region-double-clicked', (drawn, event) => {
      event.stopPropagation();
      this.choose(this.drawings.get(drawn)?.region || null);
      this.playChosen();
    });
  }

  /** @param {WaveSurfer} surfer */
  listenToPlayback(surfer) {
    surfer.on('timeupdate', (s) => {
      const { page, chosen } = this;
      if (!page) return;
      this.showTime(s);
      if (!this.isLooped || !chosen || !this.isHere(chosen) || !surfer.isPlaying()) return;
      const end_s = Math.min(chosen.end_s, page.end_s) - 0.01;
      if (page.start_s + s >= end_s) surfer.setTime(Math.max(0, chosen.start_s - page.start_s));
    });
    surfer.on('play', () => {
      claim(surfer);
      this.els.play.textContent = 'Pause';
    });
    surfer.on('pause', () => {
      this.els.play.textContent = 'Play';
    });
    surfer.on('finish', () => {
      const { recording, page } = this;
      if (!recording || !page || page.end_s >= recording.duration_s - 0.01) return;
      this.goesOn = true;
      this.turnBy(1);
    });
  }

  /* ---- drawing ---- */

  /** @param {Region} region */
  isHere(region) {
    return Boolean(
      this.page && region.end_s > this.page.start_s && region.start_s < this.page.end_s,
    );
  }

  /** The regions of this page; those that go on beyond it are cut off at its ends. */
  draw() {
    const { recording, page, plugin } = this;
    if (!recording || !page || !plugin) return;
    if (this.isHeld) {
      this.isDrawnLater = true;
      return;
    }
    this.isDrawing = true;
    const regions = recording.regions.filter((region) => this.isHere(region));
    const there = this.keepDrawn(plugin, regions);
    for (const region of regions) this.drawRegion(plugin, page, region, there.get(region));
    this.isDrawing = false;
    this.drawList();
    this.paint();
    this.desk.draw();
  }

  /**
   * What stays is changed where it is, so that it may be held meanwhile; the others go.
   * @param {RegionsPlugin} plugin
   * @param {Region[]} regions
   */
  keepDrawn(plugin, regions) {
    /** @type {Map<Region, DrawnRegion>} */
    const there = new Map();
    for (const drawn of [...plugin.getRegions()]) {
      const before = this.drawings.get(drawn)?.region || null;
      const region = regions.find((other) => isSameRegion(other, before));
      if (region && !there.has(region)) there.set(region, drawn);
      else drawn.remove();
    }
    return there;
  }

  /**
   * @param {RegionsPlugin} plugin
   * @param {Span} page
   * @param {Region} region
   * @param {DrawnRegion} [there]
   */
  drawRegion(plugin, page, region, there) {
    const start = Math.max(0, region.start_s - page.start_s);
    const length = this.surfer?.getDuration() || page.end_s - page.start_s;
    const end = Math.min(length, region.end_s - page.start_s);
    const colour = this.colourOf(region.names[0]);
    const drawn = there || plugin.addRegion({ start, end, color: soft(colour) });
    if (Math.abs(drawn.start - start) + Math.abs(drawn.end - end) > 1e-9) {
      drawn.setOptions({ start, end });
    }
    const text = region.names.join(', ');
    if (this.drawings.get(drawn)?.text !== text) drawn.setContent(caption(text));
    this.drawings.set(drawn, { region, text, start: drawn.start, end: drawn.end });
    const isChosen = isSameRegion(region, this.chosen);
    if (isChosen) this.chosen = region;
    if (!drawn.element) return;
    drawn.element.style.setProperty('--ac-colour', colour);
    drawn.element.style.outline = isChosen ? this.outlineStyle() : '';
    const when = `${clock(region.start_s)} to ${clock(region.end_s)} s`;
    drawn.element.setAttribute('aria-label', `${text} ${when}`);
  }

  letGo() {
    if (!this.isHeld) return;
    setTimeout(() => {
      this.isHeld = false;
      if (!this.isDrawnLater) return;
      this.isDrawnLater = false;
      this.draw();
    });
  }

  drawList() {
    const { recording, els } = this;
    if (!recording) return;
    const { file, duration_s, regions } = recording;
    els.what.textContent = `${file}: ${clock(duration_s)} s, ${plural(regions.length, 'region')}`;
    const order = [...regions].sort((a, b) => a.start_s - b.start_s).slice(0, MAX_ROWS);
    els.list.replaceChildren(...order.map((region) => this.listRow(region)));
  }

  /** @param {Region} region */
  listRow(region) {
    const row = make('div', 'ac-soundrow');
    row.setAttribute('aria-current', String(isSameRegion(this.chosen, region)));
    const play = async () => {
      this.chosen = region;
      if (!this.isOnPage(region.start_s)) await this.turn(region.start_s - 1);
      this.choose(region);
      this.playChosen();
    };
    const remove = () => {
      this.chosen = region;
      this.remove();
    };
    row.append(
      button('▶', () => play().catch((error) => this.report(error)), 'Play'),
      dot(this.colourOf(region.names[0])),
      make('span', 'ac-said', region.names.join(', ') || 'no class yet'),
      make('span', 'ac-when', `${clock(region.start_s)} to ${clock(region.end_s)} s`),
      button('Remove', remove, 'Delete'),
    );
    return row;
  }

  /** @param {Region | null} region */
  choose(region) {
    this.chosen = region;
    for (const [drawn, drawing] of this.drawings) {
      const isChosen = isSameRegion(drawing.region, region);
      if (drawn.element) drawn.element.style.outline = isChosen ? this.outlineStyle() : '';
    }
    this.drawList();
    this.desk.draw();
  }

  /* ---- what becomes of regions ---- */

  nameNow() {
    if (this.desk.classNamed(this.lastName)) return this.lastName;
    return this.desk.state.status?.classes[0]?.name;
  }

  /** One was drawn with the pointer. @param {DrawnRegion} drawn */
  onDrawn(drawn) {
    const { recording, page } = this;
    if (!recording || !page) return drawn.remove();
    const name = this.nameNow();
    const { start, end } = drawn;
    const region = {
      id: newId(),
      start_s: page.start_s + start,
      end_s: page.start_s + end,
      names: name ? [name] : [],
    };
    this.drawings.set(drawn, { region, text: '', start, end });
    recording.regions.push(region);
    this.choose(region);
    if (name) return this.save(region);
    this.desk.showMessage('Name this region: type a class, then Enter.');
    openField(this.desk.els);
  }

  /**
   * What goes on beyond the page is as long as before: an end changes by what it was dragged.
   * @param {DrawnRegion} drawn
   * @param {'start' | 'end'} [side] that was dragged; else all of it
   */
  onMoved(drawn, side) {
    const { recording, page } = this;
    const drawing = this.drawings.get(drawn);
    if (!drawing || this.isDrawing || !recording || !page) return;
    const { region } = drawing;
    const by = { start: drawn.start - drawing.start, end: drawn.end - drawing.end };
    if (!side && region.start_s < page.start_s) by.start = by.end;
    if (!side && region.end_s > page.end_s) by.end = by.start;
    [drawing.start, drawing.end] = [drawn.start, drawn.end];
    const start_s = Math.max(0, region.start_s + by.start);
    const end_s = Math.min(recording.duration_s, Math.max(start_s, region.end_s + by.end));
    this.change(region, { start_s, end_s });
    this.draw();
  }

  /**
   * @param {Region} region
   * @param {Partial<Region>} more
   */
  change(region, more) {
    // What is only named stays what the queue asked about.
    const isMoved = 'start_s' in more || 'end_s' in more;
    const { start_s, end_s } = region;
    const was = region.id || !isMoved ? undefined : { start_s, end_s };
    Object.assign(region, more, { id: region.id || (isMoved ? newId() : '') });
    this.choose(region);
    if (region.names.length) this.save(region, was);
  }

  /**
   * @param {Region} region
   * @param {Span} [was]
   */
  async save(region, was) {
    const { recording, desk } = this;
    if (!recording || !desk.settings) return;
    const requestId = newId();
    const number = ++this.n_sent;
    desk.dispatch({ type: 'pushUndo', requestIds: [requestId], isRegion: true });
    const request = saveRegion(desk.settings, recording.file, region, requestId, was);
    const reply = await desk.post(request);
    if (this.recording !== recording || number !== this.n_sent) return; // something newer is on its way
    if (reply?.regions) recording.regions = reply.regions;
    this.draw();
    desk.sync();
  }

  remove() {
    const { chosen, recording } = this;
    if (!chosen || !recording) return;
    recording.regions = recording.regions.filter((other) => !isSameRegion(other, chosen));
    this.chosen = null;
    this.draw();
    this.save({ ...chosen, names: [] });
  }

  /** Its class's key was pressed. @param {string} name */
  name(name) {
    this.lastName = name;
    if (this.chosen) this.change(this.chosen, { names: [name] });
    else this.desk.draw();
  }

  /** @param {string} name */
  isNamed(name) {
    return this.chosen ? this.chosen.names.includes(name) : this.lastName === name;
  }

  /* ---- playing and keys ---- */

  playChosen() {
    const { chosen, page, surfer } = this;
    if (!surfer || !page) return;
    if (!chosen || !this.isHere(chosen)) {
      surfer.playPause();
      return;
    }
    const end_s = Math.min(chosen.end_s, page.end_s) - page.start_s;
    surfer.play(Math.max(0, chosen.start_s - page.start_s), this.isLooped ? undefined : end_s);
  }

  pause() {
    if (this.surfer?.isPlaying()) this.surfer.pause();
  }

  /**
   * @param {boolean} isEnd whether its end alone is moved, or playback by a smaller step
   * @param {1 | -1} by
   */
  nudge(isEnd, by) {
    const { chosen, recording, surfer } = this;
    if (!recording || !surfer) return;
    if (!chosen) {
      surfer.setTime(Math.max(0, surfer.getCurrentTime() + by * (isEnd ? 0.1 : 1)));
      return;
    }
    const { start_s, end_s } = chosen;
    const step = Math.max(-start_s, Math.min(recording.duration_s - end_s, by * NUDGE_S));
    if (isEnd) this.change(chosen, { end_s: Math.max(start_s + NUDGE_S, end_s + step) });
    else this.change(chosen, { start_s: start_s + step, end_s: end_s + step });
    this.draw();
  }

  /** @param {1 | -1} by */
  chooseNeighbour(by) {
    const { chosen, recording } = this;
    const order = [...(recording?.regions || [])].sort((a, b) => a.start_s - b.start_s);
    const outside = by > 0 ? -1 : order.length;
    const now = chosen ? order.findIndex((other) => isSameRegion(other, chosen)) : outside;
    const region = order[now + by];
    if (!region) return;
    this.chosen = region;
    if (this.isOnPage(region.start_s)) this.choose(region);
    else this.turn(region.start_s - 1).catch((error) => this.report(error));
  }

  /** Seconds of the recording. */
  playhead() {
    return (this.page?.start_s || 0) + (this.surfer?.getCurrentTime() || 0);
  }

  /** A region from the playhead on. */
  mark() {
    const { recording } = this;
    const name = this.nameNow();
    if (!recording) return;
    if (!name) return this.desk.showMessage('Add a class first: press N.');
    const start_s = this.playhead();
    const end_s = Math.min(start_s + MARKED_S, recording.duration_s);
    const region = { id: newId(), start_s, end_s, names: [name] };
    recording.regions.push(region);
    this.chosen = region;
    this.draw();
    this.save(region);
  }

  /** An end of the chosen one is where the playhead is. @param {'start_s' | 'end_s'} side */
  setEnd(side) {
    const { chosen } = this;
    const time = this.playhead();
    if (!chosen) return;
    if (side === 'start_s' ? time >= chosen.end_s : time <= chosen.start_s) return;
    this.change(chosen, { [side]: time });
    this.draw();
  }

  /** @returns {Record<string, (event: KeyboardEvent) => void>} */
  buildKeys() {
    const remove = () => this.remove();
    return {
      ' ': () => this.surfer?.playPause(),
      p: () => this.playChosen(),
      l: () => {
        this.isLooped = !this.isLooped;
        this.els.loop.checked = this.isLooped;
      },
      Delete: remove,
      Backspace: remove,
      PageDown: () => this.turnBy(1),
      PageUp: () => this.turnBy(-1),
      '.': () => this.chooseNeighbour(1),
      ',': () => this.chooseNeighbour(-1),
      Enter: () => this.mark(),
      Escape: () => this.choose(null),
      '[': () => this.setEnd('start_s'),
      ']': () => this.setEnd('end_s'),
      ArrowLeft: (event) => this.nudge(event.shiftKey, -1),
      ArrowRight: (event) => this.nudge(event.shiftKey, 1),
    };
  }

  /**
   * Whether the key meant something here.
   * @param {KeyboardEvent} event
   * @param {string} key
   */
  runKey(event, key) {
    if (!this.recording || !this.page || !this.surfer || !this.keys[key]) return false;
    this.keys[key](event);
    return true;
  }
}
