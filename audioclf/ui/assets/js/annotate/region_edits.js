// @ts-check
/* What is done to regions: drawn, moved, named, removed. Each change goes to the server. */
import { newId, saveRegion } from './api.js';
import { isSameRegion } from './region_editor.js';
import { openField } from './view.js';

/** @typedef {import('./api.js').Region} Region */
/** @typedef {import('./api.js').Span} Span */

const NUDGE_S = 0.01;
const MARKED_S = 1; // of a region that Enter makes

export class RegionEdits {
  /** @param {import('./regions.js').Regions} regions */
  constructor(regions) {
    this.regions = regions;
    this.lastName = '';
    this.n_sent = 0;
  }

  nameNow() {
    if (this.regions.desk.project.classNamed(this.lastName)) return this.lastName;
    return this.regions.desk.project.state.status?.classes[0]?.name;
  }

  /**
   * One was drawn with the pointer.
   * @param {number} start
   * @param {number} end
   */
  onDrawn(start, end) {
    const { recording, page } = this.regions;
    if (!recording || !page) return null;
    const name = this.nameNow();
    const [start_s, end_s] = [page.start_s + start, page.start_s + end];
    const region = { id: newId(), start_s, end_s, names: name ? [name] : [] };
    recording.regions.push(region);
    return region;
  }

  /** @param {Region} region */
  afterDrawn(region) {
    this.regions.choose(region);
    if (region.names.length) {
      this.save(region);
      return;
    }
    this.regions.desk.showMessage('Name this region: type a class, then Enter.');
    openField(this.regions.desk.els);
  }

  /**
   * What goes on beyond the page is as long as before: an end changes by what it was dragged.
   * @param {Region} region
   * @param {{ start: number, end: number }} dragged
   * @param {'start' | 'end'} [side]
   */
  onMoved(region, dragged, side) {
    const { recording, page } = this.regions;
    if (!recording || !page) return;
    const by = { ...dragged };
    if (!side && region.start_s < page.start_s) by.start = by.end;
    if (!side && region.end_s > page.end_s) by.end = by.start;
    const start_s = Math.max(0, region.start_s + by.start);
    const end_s = Math.min(recording.duration_s, Math.max(start_s, region.end_s + by.end));
    this.change(region, { start_s, end_s });
    this.regions.draw();
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
    this.regions.choose(region);
    if (region.names.length) this.save(region, was);
  }

  /**
   * @param {Region} region
   * @param {Span} [was]
   */
  async save(region, was) {
    const { recording, desk } = this.regions;
    if (!recording || !desk.project.settings) return;
    const requestId = newId();
    const number = ++this.n_sent;
    desk.project.dispatch({ type: 'pushUndo', requestIds: [requestId], isRegion: true });
    const request = saveRegion(desk.project.settings, recording.file, region, requestId, was);
    const reply = await desk.project.post(request);
    if (this.regions.recording !== recording || number !== this.n_sent) return; // something newer is on its way
    if (reply?.regions) recording.regions = reply.regions;
    this.regions.draw();
    desk.project.sync();
  }

  remove() {
    const { chosen, recording } = this.regions;
    if (!chosen || !recording) return;
    recording.regions = recording.regions.filter((other) => !isSameRegion(other, chosen));
    this.regions.chosen = null;
    this.regions.draw();
    this.save({ ...chosen, names: [] });
  }

  /** Its class's key was pressed. @param {string} name */
  name(name) {
    this.lastName = name;
    if (this.regions.chosen) this.change(this.regions.chosen, { names: [name] });
    else this.regions.desk.draw();
  }

  /** @param {string} name */
  isNamed(name) {
    return this.regions.chosen ? this.regions.chosen.names.includes(name) : this.lastName === name;
  }

  /** A region from the playhead on. */
  mark() {
    const { recording } = this.regions;
    const name = this.nameNow();
    if (!recording) return;
    if (!name) return this.regions.desk.showMessage('Add a class first: press N.');
    const start_s = this.regions.playhead();
    const end_s = Math.min(start_s + MARKED_S, recording.duration_s);
    const region = { id: newId(), start_s, end_s, names: [name] };
    recording.regions.push(region);
    this.regions.chosen = region;
    this.regions.draw();
    this.save(region);
  }

  /** An end of the chosen one is where the playhead is. @param {'start_s' | 'end_s'} side */
  setEnd(side) {
    const { chosen } = this.regions;
    const time = this.regions.playhead();
    if (!chosen) return;
    if (side === 'start_s' ? time >= chosen.end_s : time <= chosen.start_s) return;
    this.change(chosen, { [side]: time });
    this.regions.draw();
  }

  /**
   * @param {boolean} isEnd whether its end alone is moved, or playback by a smaller step
   * @param {1 | -1} by
   */
  nudge(isEnd, by) {
    const { chosen, recording, editor } = this.regions;
    if (!recording) return;
    if (!chosen) return editor.seek(editor.time() + by * (isEnd ? 0.1 : 1));
    const { start_s, end_s } = chosen;
    const step = Math.max(-start_s, Math.min(recording.duration_s - end_s, by * NUDGE_S));
    if (isEnd) this.change(chosen, { end_s: Math.max(start_s + NUDGE_S, end_s + step) });
    else this.change(chosen, { start_s: start_s + step, end_s: end_s + step });
    this.regions.draw();
  }
}
