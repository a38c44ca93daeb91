/* All sounds of a data set at a glance: a list, those that are alike, and a map. */
window.audioclf.browse = (() => {
  const { make, percent } = window.audioclf.parts;
  const label = () => window.audioclf.label;
  const player = new Audio();
  let first = 0, text = '', only = '';

  async function hear(place) {
    try {
      const got = await label().call('prepare_candidate', label().placeOf(place));
      if (got.trouble) return label().tell(got.trouble, true);
      player.src = got.audio;
      await player.play().catch(() => {});
    } catch (error) { label().tell(error.message, true); }
  }
  const saidOf = (one) => (one.said ? one.said.names.join(', ') || one.said.kind.replace('unsure', 'not sure') : '');
  const suggestedOf = (one) => (one.suggested ? `${one.suggested.name} (${percent(one.suggested.probability)})` : '');

  /* ---- a list of all ---- */
  async function sounds() {
    const box = label().part['view-sounds'];
    if (!box.firstChild) buildSounds(box);
    try {
      const found = await label().call('list_sounds', { first, text, only });
      const rows = found.rows.map((one) => {
        const row = make('div', 'ac-soundrow');
        row.append(label().button('▶', () => hear(one), 'Play'), label().button(label().titleOf(one), () => label().goTo(one), 'Label it'));
        row.lastChild.classList.add('ac-soundname');
        row.append(make('span', 'ac-said', saidOf(one)), make('span', 'ac-note', one.said ? '' : suggestedOf(one)));
        return row;
      });
      box.rows.replaceChildren(...(rows.length ? rows : [make('p', 'ac-empty', 'No sound is so called.')]));
      const last = Math.min(first + found.rows.length, found.n_found);
      box.count.textContent = found.n_found ? `${first + 1} to ${last} of ${found.n_found}` : '';
      box.before.disabled = first === 0;
      box.after.disabled = last >= found.n_found;
    } catch (error) { label().tell(error.message, true); }
  }
  function buildSounds(box) {
    const field = make('input', 'ac-field');
    field.type = 'search';
    field.placeholder = 'a file or a class';
    field.setAttribute('aria-label', 'Search sounds');
    field.addEventListener('input', () => { text = field.value; first = 0; sounds(); });
    const kinds = make('select', 'ac-field ac-order');
    for (const [value, words] of [['', 'all'], ['nothing', 'without a label'], ['label', 'labelled'], ['unsure', 'not sure'], ['bad audio', 'bad audio']]) {
      const one = make('option', '', words);
      one.value = value;
      kinds.append(one);
    }
    kinds.setAttribute('aria-label', 'Which sounds');
    kinds.addEventListener('change', () => { only = kinds.value; first = 0; sounds(); });
    const turn = (by) => () => { first = Math.max(0, first + by); sounds(); };
    box.rows = make('div', 'ac-soundrows');
    box.count = make('span', 'ac-when');
    box.before = label().button('◀', turn(-50), 'The 50 before');
    box.after = label().button('▶', turn(50), 'The next 50');
    const above = make('div', 'ac-where');
    above.append(field, kinds, box.before, box.count, box.after);
    box.append(above, box.rows);
  }

  /* ---- more like this ---- */
  async function alike(item) {
    const box = label().part.alike;
    if (!item) return;
    box.replaceChildren(make('p', 'ac-empty', 'Looking…'));
    try {
      const { alike: found } = await label().call('find_alike', label().placeOf(item));
      if (!label().isCurrent(item)) return;
      box.replaceChildren(...(found.length ? drawAlike(item, found, box) : [make('p', 'ac-empty', 'Everything else is labelled.')]));
      box.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      box.replaceChildren();
      label().tell(error.message, true);
    }
  }
  function drawAlike(item, found, box) {
    const classes = label().state().classes.map((one) => one.name);
    const best = item.said?.names[0] || item.suggested?.name || '';
    const names = make('select', 'ac-field ac-order');
    names.setAttribute('aria-label', 'Class of the chosen ones');
    for (const name of ['', ...classes]) {
      const one = make('option', '', name || 'choose a class');
      one.value = name;
      names.append(one);
    }
    names.value = classes.includes(best) ? best : '';
    const rows = found.map((one) => {
      const row = make('div', 'ac-soundrow');
      const tick = make('input');
      tick.type = 'checkbox';
      tick.checked = Boolean(best) && one.suggested?.name === best;
      tick.setAttribute('aria-label', 'Take it: ' + label().titleOf(one));
      row.append(tick, label().button('▶', () => hear(one), 'Play'), make('span', 'ac-soundname', label().titleOf(one)), make('span', 'ac-note', suggestedOf(one)));
      return { one, row, tick };
    });
    const take = label().button('Label the ticked ones', async () => {
      const taken = rows.filter(({ tick }) => tick.checked);
      if (!names.value) return label().tell('Choose the class of the ticked ones first, beside the button.');
      if (!taken.length) return label().tell('Tick the sounds that are of this class first.');
      const tokens = taken.map(() => label().random());
      label().rememberAll(tokens);
      await Promise.all(taken.map(({ one }, i) => label().say_of(one, [names.value], tokens[i])));
      box.replaceChildren(make('p', 'ac-empty', `${taken.length} labelled as ${names.value}.`));
      player.pause();
    });
    take.classList.add('ac-primary');
    const none = label().button('Leave them', () => { player.pause(); box.replaceChildren(); });
    const head = make('div', 'ac-where');
    head.append(make('strong', '', `Most like ${label().titleOf(item)}:`), names, take, none);
    const list = make('div', 'ac-soundrows');
    list.append(...rows.map(({ row }) => row));
    return [head, list];
  }

  /* ---- the map ---- */
  async function map() {
    const box = label().part['view-map'];
    box.replaceChildren(make('p', 'ac-empty', 'Drawing…'));
    try {
      const { points } = await label().call('draw_map');
      drawMap(box, points);
    } catch (error) { box.replaceChildren(make('p', 'ac-empty', error.message)); }
  }
  function drawMap(box, points) {
    const plot = make('div', 'ac-map');
    const words = make('p', 'ac-where');
    const hint = 'Every point is a sound; near ones sound alike to the network. Across: the first principal component of what it hears, upwards: the second. Choose one to hear it.';
    words.append(make('span', 'ac-note', hint));
    box.replaceChildren(plot, legend(points), words);
    let picked = null;
    const redraw = window.audioclf.parts.canvas(plot, (pen, width, height, style) => {
      const at = (one) => [8 + one.x * (width - 16), height - 8 - one.y * (height - 16)];
      for (const one of points) {
        const [x, y] = at(one);
        pen.beginPath();
        pen.arc(x, y, one === picked ? 7 : 4, 0, 7);
        const known = one.name && label().classNamed(one.name);
        pen.fillStyle = known ? known.colour : style.getPropertyValue('--ac-rest');
        pen.fill();
        if (one === picked) { pen.lineWidth = 2; pen.strokeStyle = style.color; pen.stroke(); }
      }
      plot.at = at;
    });
    const nearest = (event) => {
      const frame = plot.getBoundingClientRect();
      const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
      const far = (one) => Math.hypot(plot.at(one)[0] - x, plot.at(one)[1] - y);
      const best = points.reduce((a, b) => (far(b) < far(a) ? b : a));
      return far(best) < 24 ? best : null;
    };
    plot.addEventListener('click', (event) => {
      picked = points.length ? nearest(event) : null;
      redraw();
      if (!picked) return;
      hear(picked);
      const one = picked;
      words.replaceChildren(make('span', 'ac-soundname', label().titleOf(one)), make('span', 'ac-said', one.name), label().button('Label it', () => label().goTo({ ...label().placeOf(one), said: one.is_said ? { kind: 'label', names: [one.name].filter(Boolean) } : null, suggested: null })));
    });
    plot.addEventListener('mousemove', (event) => {
      const one = points.length ? nearest(event) : null;
      plot.title = one ? label().titleOf(one) + (one.name ? ': ' + one.name : '') : '';
    });
  }
  function legend(points) {
    const made = make('div', 'ac-legend');
    for (const name of [...new Set(points.map((one) => one.name).filter(Boolean))].slice(0, 30)) {
      const item = make('span');
      const dot = make('i');
      dot.style.background = label().classNamed(name)?.colour || 'var(--ac-muted)';
      item.append(dot, name);
      made.append(item);
    }
    const rest = make('span');
    rest.append(make('i', 'ac-others'), 'no label yet');
    made.append(rest);
    return made;
  }
  /* Another data set. */
  function forget() {
    player.pause();
    [first, text, only] = [0, '', ''];
    for (const name of ['view-sounds', 'view-map']) label().part[name].replaceChildren();
  }
  return { sounds, alike, map, forget };
})();
