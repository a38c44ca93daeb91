// @ts-check
/* All clips of a project at a glance: a list, those that are similar, and a map. */
import { button, legendItem, legendRest, make, percent, select } from '../dom.js';
import { claim } from '../playback.js';
import { canvas } from '../plot.js';
import { isStale, newId, placeOf, submitAnnotation } from './api.js';
import { titleOf } from './player.js';
import { inWords } from './view.js';

/** @typedef {import('./api.js').Item} Item */
/** @typedef {import('./api.js').Place} Place */
/** @typedef {import('./api.js').Point} Point */

const N_ROWS = 50;
const MAX_NAMED = 30; // classes in the map's legend
const REACH_PX = 24; // from a point
const MAP_HINT =
  'Every point is a clip; near ones are similar to the model. Across: the first principal component of its embeddings, upwards: the second. Choose one to play it.';
/** @type {[string, string][]} */
const FILTERS = [
  ['', 'all'],
  ['nothing', 'without a label'],
  ['label', 'labelled'],
  ['unsure', 'not sure'],
  ['bad audio', 'bad audio'],
];

/** @param {Item} item */
function suggestionInWords({ suggestion }) {
  if (!suggestion) return '';
  const { name, probability } = suggestion;
  return probability === null ? name : `${name} (${percent(probability)})`;
}

export class Browse {
  /** @param {import('./queue.js').Queue} desk */
  constructor(desk) {
    this.desk = desk;
    this.player = new Audio();
    this.player.addEventListener('play', () => claim(this.player));
    this.filter = { first: 0, text: '', only: '' };
    /** @type {ReturnType<Browse['buildList']> | null} */
    this.list = null;
  }

  /** Another data set. */
  forget() {
    this.player.pause();
    this.filter = { first: 0, text: '', only: '' };
    this.list = null;
    this.desk.els.views.clips.replaceChildren();
    this.desk.els.views.map.replaceChildren();
  }

  /** @param {Place} place */
  async playClip(place) {
    try {
      const clip = await this.desk.project.api.prepareClip(place);
      if (clip.error) return this.desk.showMessage(clip.error, true);
      this.player.src = clip.audioUrl;
      await this.player.play().catch(() => {});
    } catch (error) {
      this.desk.report(error);
    }
  }

  /** @param {Place} place */
  playButton(place) {
    return button('▶', () => this.playClip(place), 'Play');
  }

  /* ---- a list of all ---- */

  async listClips() {
    this.list ||= this.buildList();
    const { rows, count, before, after } = this.list;
    const { filter, desk } = this;
    try {
      const { rows: items, n_matches } = await desk.project.api.listClips(filter);
      if (filter !== this.filter) return; // something else is asked for by now
      const drawn = items.map((item) => this.listRow(item));
      rows.replaceChildren(...(drawn.length ? drawn : [make('p', 'ac-empty', 'No clip matches.')]));
      const last = Math.min(filter.first + items.length, n_matches);
      count.textContent = n_matches ? `${filter.first + 1} to ${last} of ${n_matches}` : '';
      before.disabled = filter.first === 0;
      after.disabled = last >= n_matches;
    } catch (error) {
      desk.report(error);
    }
  }

  /** @param {Item} item */
  listRow(item) {
    const row = make('div', 'ac-soundrow');
    const title = button(titleOf(item), () => this.desk.goTo(item), 'Label it');
    title.classList.add('ac-soundname');
    const suggestion = item.annotation ? '' : suggestionInWords(item);
    row.append(
      this.playButton(item),
      title,
      make('span', 'ac-said', inWords(item.annotation)),
      make('span', 'ac-note', suggestion),
    );
    return row;
  }

  /** @param {Partial<{ first: number, text: string, only: string }>} change */
  setFilter(change) {
    this.filter = { ...this.filter, first: 0, ...change };
    this.listClips();
  }

  buildList() {
    const field = make('input', 'ac-field');
    field.type = 'search';
    field.placeholder = 'a file or a class';
    field.setAttribute('aria-label', 'Search clips');
    field.addEventListener('input', () => this.setFilter({ text: field.value }));
    const kinds = select('Which clips', FILTERS);
    kinds.addEventListener('change', () => this.setFilter({ only: kinds.value }));
    /** @param {number} by */
    const turn = (by) => this.setFilter({ first: Math.max(0, this.filter.first + by) });
    const list = {
      rows: make('div', 'ac-soundrows'),
      count: make('span', 'ac-when'),
      before: button('◀', () => turn(-N_ROWS), `The ${N_ROWS} before`),
      after: button('▶', () => turn(N_ROWS), `The next ${N_ROWS}`),
    };
    const above = make('div', 'ac-where');
    above.append(field, kinds, list.before, list.count, list.after);
    this.desk.els.views.clips.replaceChildren(above, list.rows);
    return list;
  }

  /* ---- more like this ---- */

  /** @param {Item | undefined} item */
  async findSimilar(item) {
    const { desk } = this;
    const box = desk.els.similar;
    if (!item) return;
    box.replaceChildren(make('p', 'ac-empty', 'Loading…'));
    try {
      const items = await desk.project.api.findSimilar(item);
      if (!desk.project.isCurrent(item)) return;
      if (items.length) this.drawSimilar(box, item, items);
      else box.replaceChildren(make('p', 'ac-empty', 'Everything else is labelled.'));
      box.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      box.replaceChildren();
      desk.report(error);
    }
  }

  /**
   * @param {Element} box
   * @param {Item} item
   * @param {Item[]} items
   */
  drawSimilar(box, item, items) {
    const classes = (this.desk.project.state.status?.classes || []).map((one) => one.name);
    const best = item.annotation?.names[0] || item.suggestion?.name || '';
    const names = select('Class of the ticked ones', [
      ['', 'choose a class'],
      ...classes.map((name) => /** @type {[string, string]} */ ([name, name])),
    ]);
    names.value = classes.includes(best) ? best : '';
    const rows = items.map((one) => this.similarRow(one, best));
    const label = button('Label the ticked ones', () => {
      const ticked = rows.filter(({ tick }) => tick.checked).map(({ one }) => one);
      this.labelSimilar(box, ticked, names.value);
    });
    label.classList.add('ac-primary');
    const leave = button('Leave them', () => {
      this.player.pause();
      box.replaceChildren();
    });
    const head = make('div', 'ac-where');
    head.append(make('strong', '', `Most like ${titleOf(item)}:`), names, label, leave);
    const list = make('div', 'ac-soundrows');
    list.append(...rows.map(({ row }) => row));
    box.replaceChildren(head, list);
  }

  /**
   * @param {Item} one
   * @param {string} best
   */
  similarRow(one, best) {
    const row = make('div', 'ac-soundrow');
    const tick = make('input');
    tick.type = 'checkbox';
    tick.checked = Boolean(best) && one.suggestion?.name === best;
    tick.setAttribute('aria-label', `Tick ${titleOf(one)}`);
    row.append(
      tick,
      this.playButton(one),
      make('span', 'ac-soundname', titleOf(one)),
      make('span', 'ac-note', suggestionInWords(one)),
    );
    return { one, row, tick };
  }

  /**
   * @param {Element} box
   * @param {Item[]} items
   * @param {string} name
   */
  async labelSimilar(box, items, name) {
    const { desk } = this;
    const { settings } = desk.project;
    if (!name) {
      return desk.showMessage('Choose the class of the ticked ones first, beside the button.');
    }
    if (!items.length) return desk.showMessage('Tick the clips that are of this class first.');
    if (!settings) return;
    const requestIds = items.map(() => newId());
    desk.project.dispatch({ type: 'pushUndo', requestIds, isRegion: false });
    const annotation = { kind: /** @type {const} */ ('label'), names: [name] };
    await Promise.all(
      items.map((item, i) => {
        const isAccepted = item.suggestion?.name === name;
        return desk.project.post(
          submitAnnotation(settings, item, annotation, requestIds[i], isAccepted),
        );
      }),
    );
    box.replaceChildren(make('p', 'ac-empty', `${items.length} labelled as ${name}.`));
    this.player.pause();
  }

  /* ---- the map ---- */

  async drawMap() {
    const box = this.desk.els.views.map;
    box.replaceChildren(make('p', 'ac-empty', 'Loading…'));
    try {
      this.drawPoints(box, await this.desk.project.api.drawMap());
    } catch (error) {
      if (isStale(error)) return;
      box.replaceChildren(make('p', 'ac-empty', error instanceof Error ? error.message : ''));
    }
  }

  /**
   * @param {Element} box
   * @param {Point[]} points
   */
  drawPoints(box, points) {
    const plot = make('div', 'ac-map');
    const chosenRow = make('p', 'ac-where');
    chosenRow.append(make('span', 'ac-note', MAP_HINT));
    box.replaceChildren(plot, this.mapLegend(points), chosenRow);
    /** @type {Point | null} */
    let picked = null;
    let size = { width: 0, height: 0 };
    /** @param {Point} point @returns {[number, number]} */
    const positionOf = ({ x, y }) => [
      8 + x * (size.width - 16),
      size.height - 8 - y * (size.height - 16),
    ];
    const redraw = canvas(plot, (pen, width, height, style) => {
      size = { width, height };
      for (const point of points) {
        pen.beginPath();
        pen.arc(...positionOf(point), point === picked ? 7 : 4, 0, 7);
        pen.fillStyle =
          this.desk.project.classNamed(point.name)?.colour || style.getPropertyValue('--ac-rest');
        pen.fill();
        if (point !== picked) continue;
        pen.lineWidth = 2;
        pen.strokeStyle = style.color;
        pen.stroke();
      }
    });
    /** @param {MouseEvent} event */
    const nearest = (event) => {
      const frame = plot.getBoundingClientRect();
      let [best, least] = [/** @type {Point | null} */ (null), REACH_PX];
      for (const point of points) {
        const [x, y] = positionOf(point);
        const distance = Math.hypot(x - event.clientX + frame.left, y - event.clientY + frame.top);
        if (distance < least) [best, least] = [point, distance];
      }
      return best;
    };
    plot.addEventListener('click', (event) => {
      picked = nearest(event);
      redraw();
      if (!picked) return;
      this.playClip(picked);
      chosenRow.replaceChildren(...this.pickedRow(picked));
    });
    plot.addEventListener('mousemove', (event) => {
      const point = nearest(event);
      plot.title = point ? titleOf(point) + (point.name ? `: ${point.name}` : '') : '';
    });
  }

  /** @param {Point} point */
  pickedRow(point) {
    const names = [point.name].filter(Boolean);
    const annotation = point.isLabelled ? { kind: /** @type {const} */ ('label'), names } : null;
    const item = { ...placeOf(point), annotation, suggestion: null };
    return [
      make('span', 'ac-soundname', titleOf(point)),
      make('span', 'ac-said', point.name),
      button('Label it', () => this.desk.goTo(item)),
    ];
  }

  /** @param {Point[]} points */
  mapLegend(points) {
    const legend = make('div', 'ac-legend');
    const names = [...new Set(points.map((point) => point.name).filter(Boolean))];
    for (const name of names.slice(0, MAX_NAMED)) {
      legend.append(
        legendItem(this.desk.project.classNamed(name)?.colour || 'var(--ac-muted)', name),
      );
    }
    legend.append(legendRest('no label yet'));
    return legend;
  }
}
