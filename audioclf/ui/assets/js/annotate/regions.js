// @ts-check
/* Regions of a recording, a page of it at a time.

   The page's sound, waveform and spectrogram come from the server; the ends of a region are seconds
   of the recording, which the server moves to the nearest samples. */
import { button, dot, make } from '../dom.js';
import { canvas, drawPictures } from '../plot.js';
import { isStale } from './api.js';
import { formatDuration, formatTime } from './player.js';
import { isSameRegion, RegionEditor } from './region_editor.js';
import { RegionEdits } from './region_edits.js';
import { buildRegionKeys } from './region_keys.js';
import { buildRegions, paintOverview } from './regions_view.js';
import { plural } from './view.js';

/** @typedef {import('./api.js').Item} Item */
/** @typedef {import('./api.js').Region} Region */
/** @typedef {import('./api.js').Span} Span */
/** @typedef {import('./regions_view.js').OutlinedRecording} OutlinedRecording */

const SHORT_S = 60; // a recording that is shown at once
const MAX_ROWS = 200;
const GREY = '#8c929e';

/** @param {number} s */
const clock = (s) => formatTime(s, 2);

export class Regions {
  /** @param {import('./queue.js').Queue} desk */
  constructor(desk) {
    this.desk = desk;
    /** @type {OutlinedRecording | null} */
    this.recording = null;
    /** @type {Span | null} */
    this.page = null;
    /** @type {Region | null} */
    this.chosen = null; // that keys act on
    this.edits = new RegionEdits(this);
    this.isLooped = false;
    this.isDrawnLater = false;
    this.goesOn = false; // playback, on the next page
    this.n_turns = 0;
    this.n_shown = 0;
    this.els = buildRegions(desk.els.views.regions, {
      back: () => this.turnBy(-1),
      forward: () => this.turnBy(1),
      toggle: () => this.editor.toggle(),
      setLength: () => this.setLength(),
      setLoop: (isLooped) => {
        this.isLooped = isLooped;
      },
      centreAt: (fraction) => this.centreAt(fraction),
    });
    this.paint = canvas(this.els.strip, (...on) => {
      const { recording, page } = this;
      if (recording && page) paintOverview(recording, page, (name) => this.colourOf(name))(...on);
    });
    this.editor = new RegionEditor(this.els.wave, {
      onDrawn: (start, end) => this.edits.onDrawn(start, end),
      afterDrawn: (region) => this.edits.afterDrawn(region),
      onMoved: (region, by, side) => this.edits.onMoved(region, by, side),
      onClicked: (region, isTwice) => {
        this.choose(region);
        if (isTwice) this.playChosen();
      },
      onTime: (time) => this.onTime(time),
      onPlaying: (isPlaying) => {
        this.els.play.textContent = isPlaying ? 'Pause' : 'Play';
      },
      onFinish: () => this.onFinish(),
      onReleased: () => {
        if (this.isDrawnLater) this.draw();
      },
    });
    this.keys = buildRegionKeys(this);
  }

  /** @param {string | undefined} name */
  colourOf(name) {
    return this.desk.project.classNamed(name)?.colour || GREY;
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
      await this.editor.ready();
      const recording = await this.desk.project.api.openRecording(item.file);
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
      const { regions } = await this.desk.project.api.openRecording(recording.file);
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
    this.edits.lastName = '';
  }

  clear() {
    this.pause();
    this.n_turns += 1;
    this.n_shown += 1;
    [this.recording, this.page, this.chosen] = [null, null, null];
    this.els.what.textContent = '';
    this.els.list.replaceChildren();
    this.editor.clear();
  }

  /** @param {OutlinedRecording} recording */
  async readOutline(recording) {
    this.els.strip.hidden = recording.duration_s <= Number(this.els.length.value);
    if (this.els.strip.hidden) return;
    recording.outline = await this.desk.project.api.readOutline(recording.file);
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
    const clip = await this.desk.project.api.readPage(recording.file, start_s, start_s + length);
    if (number !== this.n_turns) return;
    const blob = await (await fetch(clip.audioUrl)).blob();
    if (number !== this.n_turns) return;
    const page = { start_s: clip.start_s, end_s: clip.end_s };
    this.page = page;
    els.pictures.replaceChildren();
    /** @param {number} s */
    const seek = (s) => this.editor.seek(s);
    drawPictures(els.pictures, { ...clip.spectrogram, from_s: page.start_s, seek });
    const peaks = [1, 0].map((i) => clip.waveform.peaks.map((both) => both[i] / 127));
    const colour = this.colourOf(this.edits.lastName);
    await this.editor.load(blob, peaks, page.end_s - page.start_s, colour);
    if (number !== this.n_turns) return;
    els.peak.textContent = clip.waveform.ticks?.[2]?.label || '';
    this.showTime(0);
    this.draw();
    if (!this.goesOn) return;
    this.goesOn = false;
    this.editor.play();
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

  /** @param {number} time on the page */
  onTime(time) {
    const { page, chosen, editor } = this;
    if (!page) return;
    this.showTime(time);
    if (!this.isLooped || !chosen || !this.isHere(chosen) || !editor.isPlaying()) return;
    const end_s = Math.min(chosen.end_s, page.end_s) - 0.01;
    if (page.start_s + time >= end_s) editor.seek(chosen.start_s - page.start_s);
  }

  /** Playback goes on with the next page. */
  onFinish() {
    const { recording, page } = this;
    if (!recording || !page || page.end_s >= recording.duration_s - 0.01) return;
    this.goesOn = true;
    this.turnBy(1);
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
    const { recording, page, editor } = this;
    if (!recording || !page) return;
    this.isDrawnLater = editor.isHeld;
    if (editor.isHeld) return;
    const regions = recording.regions.filter((region) => this.isHere(region));
    this.chosen = regions.find((region) => isSameRegion(region, this.chosen)) || this.chosen;
    const placed = regions.map((region) => this.place(region, page));
    editor.draw(placed, this.chosen);
    this.drawList();
    this.paint();
    this.desk.draw();
  }

  /**
   * Where a region is on a page.
   * @param {Region} region
   * @param {Span} page
   */
  place(region, page) {
    const { start_s, end_s, names } = region;
    return {
      region,
      start: Math.max(0, start_s - page.start_s),
      end: Math.min(page.end_s, end_s) - page.start_s,
      colour: this.colourOf(names[0]),
      title: `${names.join(', ')} ${clock(start_s)} to ${clock(end_s)} s`,
    };
  }

  drawList() {
    const { recording, els } = this;
    if (!recording) return;
    const { file, duration_s, regions } = recording;
    els.what.textContent = `${file}: ${formatDuration(duration_s, 2)}, ${plural(regions.length, 'region')}`;
    const order = [...regions].sort((a, b) => a.start_s - b.start_s);
    const page_s = this.page?.start_s ?? 0;
    const onPage = order.filter((region) => region.end_s <= page_s).length;
    const first = Math.max(0, Math.min(onPage - MAX_ROWS / 2, order.length - MAX_ROWS));
    const shown = order.slice(first, first + MAX_ROWS);
    const rows = shown.map((region) => this.listRow(region));
    const n_later = order.length - first - shown.length;
    if (first) rows.unshift(make('p', 'ac-note', `${plural(first, 'earlier region')}: page back`));
    if (n_later) rows.push(make('p', 'ac-note', `${plural(n_later, 'later region')}: page on`));
    els.list.replaceChildren(...rows);
    const chosen = shown.findIndex((region) => isSameRegion(this.chosen, region));
    const row = rows[(chosen < 0 ? onPage - first : chosen) + Number(first > 0)];
    if (row) els.list.scrollTop = row.offsetTop - els.list.offsetTop;
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
      this.edits.remove();
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
    this.editor.outline(region);
    this.drawList();
    this.desk.draw();
  }

  /* ---- playing and keys ---- */

  playChosen() {
    const { chosen, page, editor } = this;
    if (!page) return;
    if (!chosen || !this.isHere(chosen)) return editor.toggle();
    const end_s = Math.min(chosen.end_s, page.end_s) - page.start_s;
    editor.play(Math.max(0, chosen.start_s - page.start_s), this.isLooped ? undefined : end_s);
  }

  pause() {
    this.editor.pause();
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
    return (this.page?.start_s || 0) + this.editor.time();
  }

  /**
   * Whether the key meant something here.
   * @param {KeyboardEvent} event
   * @param {string} key
   */
  runKey(event, key) {
    if (!this.recording || !this.page || !this.editor.surfer || !this.keys[key]) return false;
    this.keys[key](event);
    return true;
  }
}
