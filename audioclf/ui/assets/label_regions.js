/* Regions of a recording, over wavesurfer.js and its regions plugin: a page of it at a time.

   The page's sound, waveform and spectrogram come from the server; the ends of a region are seconds of
   the recording, which the server moves to the nearest samples. */
window.audioclf.regions = (() => {
  const { make, images, canvas } = window.audioclf.parts;
  const label = () => window.audioclf.label;
  const PAGES = [[10, '10 s'], [30, '30 s'], [60, '60 s']];
  const HEIGHT = 110;
  const box = {};
  let scripts = null, surfer = null, plugin = null;
  let recording = null; // file, duration_s, rate_hz, regions
  let page = null; // start_s, end_s
  let chosen = null; // the region that keys act on
  let lastName = null, isLoop = false, isDrawing = false, turning = 0, goesOn = false, sending = 0, showing = 0;
  let isHeld = false, isLate = false;

  const load = () => (scripts ||= label().call('read_editor').then(({ scripts: texts }) => {
    for (const text of texts) {
      const node = document.createElement('script');
      node.textContent = text;
      document.head.append(node);
    }
  }));
  const clock = (s) => label().times_of(s, 2);
  const colourOf = (name) => (name && label().classNamed(name)?.colour) || '#8c929e';
  const soft = (colour) => `color-mix(in srgb, ${colour} 32%, transparent)`;

  async function show(item) {
    if (!box.head) build();
    if (!item) { if (!recording) box.what.textContent = 'Choose a sound under “All sounds” first.'; return; }
    if (recording?.file === item.file && page) {
      await refresh();
      if (page && item.start_s !== null && (item.start_s < page.start_s || item.start_s >= page.end_s)) await turn(item.start_s - 1);
      return;
    }
    clear(); // nothing of another recording may be drawn or moved meanwhile
    const number = showing;
    box.what.textContent = 'Coming…';
    try {
      await load();
      const found = await label().call('open_recording', { file: item.file });
      if (number !== showing) return;
      recording = found;
      box.length.value = recording.duration_s <= 60 ? '60' : '30';
      await turn(item.start_s ? item.start_s - 1 : 0);
      if (recording === found) outline(found.file);
    } catch (error) {
      if (number === showing) clear();
      if (error.message) label().tell(error.message, true);
    }
  }
  /* The regions as the server has them. */
  async function refresh() {
    if (!recording) return;
    const now = recording;
    try {
      const found = await label().call('open_recording', { file: now.file });
      if (recording !== now) return;
      now.regions = found.regions;
      draw();
    } catch (error) { label().tell(error.message, true); }
  }
  /* Another data set. */
  function forget() {
    clear();
    lastName = null;
  }
  function clear() {
    pause();
    turning += 1;
    showing += 1;
    [recording, page, chosen] = [null, null, null];
    if (box.what) { box.what.textContent = ''; box.list.replaceChildren(); }
    plugin?.clearRegions();
  }
  async function outline(file) {
    box.strip.hidden = recording.duration_s <= Number(box.length.value);
    if (box.strip.hidden) return;
    const { waveform } = await label().call('outline_recording', { file });
    if (recording?.file !== file) return;
    recording.outline = waveform.peaks;
    box.paint();
  }

  /* ---- a page ---- */
  async function turn(start) {
    const number = ++turning;
    const length = Math.min(Number(box.length.value), recording.duration_s);
    const start_s = Math.max(0, Math.min(start, recording.duration_s - length));
    const got = await label().call('page_of_recording', { file: recording.file, start_s, end_s: start_s + length });
    if (number !== turning) return;
    const blob = await (await fetch(got.audio)).blob();
    if (number !== turning) return;
    page = { start_s: got.start_s, end_s: got.end_s };
    const duration = page.end_s - page.start_s;
    box.pictures.replaceChildren();
    images(box.pictures, { ...got.spectrogram, from_s: page.start_s, seek: (s) => surfer.setTime(s) });
    make_surfer();
    const peaks = [1, 0].map((i) => got.waveform.peaks.map((both) => both[i] / 127));
    await surfer.load(URL.createObjectURL(blob), peaks, duration);
    if (number !== turning) return;
    box.loud.textContent = got.waveform.ticks[2].label;
    box.when.textContent = `${clock(page.start_s)} of ${clock(recording.duration_s)} s`;
    box.pictures.style.setProperty('--audioclf-at', 0);
    draw();
    if (goesOn) { goesOn = false; surfer.play(); }
  }
  function make_surfer() {
    if (surfer) { URL.revokeObjectURL(surfer.getSrc()); surfer.destroy(); }
    plugin = window.WaveSurfer.Regions.create();
    const style = getComputedStyle(box.wave);
    surfer = window.WaveSurfer.create({
      container: box.wave, height: HEIGHT, waveColor: style.getPropertyValue('--color-accent'), progressColor: style.getPropertyValue('--color-accent'),
      cursorColor: style.color, cursorWidth: 2, normalize: false, plugins: [plugin], hideScrollbar: true,
    });
    plugin.enableDragSelection({ color: soft(colourOf(lastName)) }, 4);
    plugin.on('region-created', (one) => { if (!isDrawing) drawn(one); });
    plugin.on('region-updated', (one, side) => moved(one, side));
    plugin.on('region-clicked', (one, event) => { event.stopPropagation(); choose(one.region); surfer.setTime(one.start); });
    plugin.on('region-double-clicked', (one, event) => { event.stopPropagation(); choose(one.region); playChosen(); });
    surfer.on('timeupdate', (s) => {
      if (!recording || !page) return;
      const at = surfer.getDuration() ? s / surfer.getDuration() : 0;
      box.pictures.style.setProperty('--audioclf-at', at);
      box.when.textContent = `${clock(page.start_s + s)} of ${clock(recording.duration_s)} s`;
      if (isLoop && isHere(chosen) && surfer.isPlaying() && page.start_s + s >= Math.min(chosen.end_s, page.end_s) - 0.01) surfer.setTime(Math.max(0, chosen.start_s - page.start_s));
    });
    surfer.on('play', () => { box.play.textContent = 'Pause'; });
    surfer.on('pause', () => { box.play.textContent = 'Play'; });
    surfer.on('finish', () => {
      if (recording && page && page.end_s < recording.duration_s - 0.01) { goesOn = true; turn(page.end_s); }
    });
  }

  /* The regions of this page; those that go on beyond it are cut off at its ends. */
  const isHere = (one) => Boolean(one) && one.end_s > page.start_s && one.start_s < page.end_s;
  function draw() {
    if (!recording || !page) return;
    if (isHeld) { isLate = true; return; } // somebody drags one of them just now
    isDrawing = true;
    const wanted = recording.regions.filter(isHere);
    const there = new Map();
    for (const made of [...plugin.getRegions()]) { // what stays is changed where it is, so that it may be held meanwhile
      const one = made.region && wanted.find((other) => same(other, made.region));
      if (one && !there.has(one)) there.set(one, made); else made.remove();
    }
    for (const one of wanted) {
      const [start, end] = [Math.max(0, one.start_s - page.start_s), Math.min(surfer.getDuration(), one.end_s - page.start_s)];
      const made = there.get(one) || plugin.addRegion({ start, end, color: soft(colourOf(one.names[0])) });
      if (Math.abs(made.start - start) + Math.abs(made.end - end) > 1e-9) made.setOptions({ start, end });
      const words = one.names.join(', ');
      if (made.words !== words) made.setContent(caption(words));
      Object.assign(made, { region: one, words, drawnAt: { start: made.start, end: made.end } });
      const isChosen = chosen && same(one, chosen);
      if (made.element) {
        made.element.style.setProperty('--ac-colour', colourOf(one.names[0]));
        made.element.style.outline = isChosen ? `2px solid ${getComputedStyle(box.wave).color}` : '';
        made.element.setAttribute('aria-label', `${words} ${clock(one.start_s)} to ${clock(one.end_s)} s`);
      }
      if (isChosen) chosen = one;
    }
    isDrawing = false;
    drawList();
    if (box.paint) box.paint();
    label().drawState();
  }
  function letGo() {
    if (!isHeld) return;
    setTimeout(() => {
      isHeld = false;
      if (isLate && recording) { isLate = false; draw(); }
    });
  }
  function caption(words) {
    const made = make('span', '', words);
    made.style.cssText = 'font-size:12px;padding:1px 5px;margin:2px;border-radius:3px;pointer-events:none;white-space:nowrap;color:var(--body-text-color);background:color-mix(in srgb, var(--background-fill-primary) 85%, transparent)';
    return made;
  }
  const same = (a, b) => (a.region ? a.region === b.region : a.start_s === b.start_s && a.end_s === b.end_s && !b.region);
  function choose(one) {
    chosen = one || null;
    for (const made of plugin.getRegions()) {
      if (made.element) made.element.style.outline = chosen && made.region && same(made.region, chosen) ? `2px solid ${getComputedStyle(box.wave).color}` : '';
    }
    drawList();
    label().drawState();
  }

  /* ---- what becomes of regions ---- */
  const nameNow = () => (label().classNamed(lastName) ? lastName : label().state()?.classes[0]?.name);
  function drawn(made) {
    if (!recording || !page) return made.remove();
    const name = nameNow();
    const one = { region: label().random(), start_s: page.start_s + made.start, end_s: page.start_s + made.end, names: name ? [name] : [] };
    Object.assign(made, { region: one, drawnAt: { start: made.start, end: made.end } });
    recording.regions.push(one);
    choose(one);
    if (name) save(one);
    else { label().tell('Name this region: type a class, then Enter.'); label().part.adding.hidden = false; label().part.typed.focus(); }
  }
  /* What goes on beyond the page is as long as before: an end changes by what it was dragged. */
  function moved(made, side) {
    const one = made.region;
    if (!one || isDrawing || !recording || !page) return;
    const by = { start: made.start - made.drawnAt.start, end: made.end - made.drawnAt.end };
    if (!side && one.start_s < page.start_s) by.start = by.end;
    if (!side && one.end_s > page.end_s) by.end = by.start;
    made.drawnAt = { start: made.start, end: made.end };
    const start_s = Math.max(0, one.start_s + by.start);
    change(one, { start_s, end_s: Math.min(recording.duration_s, Math.max(start_s, one.end_s + by.end)) });
    draw();
  }
  function change(one, more) {
    const isMoved = 'start_s' in more || 'end_s' in more; // what is only named stays what the queue asked about
    const was = one.region || !isMoved ? undefined : { start_s: one.start_s, end_s: one.end_s };
    Object.assign(one, more, { region: one.region || (isMoved ? label().random() : '') });
    choose(one);
    if (one.names.length) save(one, was);
  }
  async function save(one, was) {
    const token = label().random();
    label().remember(token);
    await send(token, one, was);
  }
  async function send(token, one, was) {
    const [now, number] = [recording, ++sending];
    const found = await label().post('save_region', { token, file: now.file, ...one, was });
    if (recording !== now || number !== sending) return; // something newer is on its way
    if (found) now.regions = found.regions;
    draw();
    label().sync();
  }
  async function remove() {
    if (!chosen) return;
    const [one, token] = [chosen, label().random()];
    recording.regions = recording.regions.filter((other) => !same(other, one));
    chosen = null;
    draw();
    label().remember(token);
    await send(token, { ...one, names: [] });
  }
  function name(words) {
    lastName = words;
    if (chosen) change(chosen, { names: [words] });
    else label().drawState();
  }
  const isNamed = (words) => (chosen ? chosen.names.includes(words) : lastName === words);

  /* ---- playing and keys ---- */
  function playChosen() {
    if (!isHere(chosen)) return surfer.playPause();
    const from = Math.max(0, chosen.start_s - page.start_s);
    surfer.play(from, isLoop ? undefined : Math.min(chosen.end_s, page.end_s) - page.start_s);
  }
  const pause = () => surfer && surfer.isPlaying() && surfer.pause();
  function nudge(event, by) {
    if (!chosen) { surfer.setTime(Math.max(0, surfer.getCurrentTime() + by * (event.shiftKey ? 0.1 : 1))); return; }
    const step = Math.max(-chosen.start_s, Math.min(recording.duration_s - chosen.end_s, by * 0.01));
    if (event.shiftKey) change(chosen, { end_s: Math.max(chosen.start_s + 0.01, chosen.end_s + step) });
    else change(chosen, { start_s: chosen.start_s + step, end_s: chosen.end_s + step });
    draw();
  }
  function neighbour(by) {
    const order = [...recording.regions].sort((a, b) => a.start_s - b.start_s);
    const now = chosen ? order.findIndex((one) => same(one, chosen)) : by > 0 ? -1 : order.length;
    const one = order[now + by];
    if (!one) return;
    chosen = one;
    if (one.start_s < page.start_s || one.start_s >= page.end_s) turn(one.start_s - 1); else choose(one);
  }
  function mark() { /* a region from the playhead on, or its other end */
    const at = page.start_s + surfer.getCurrentTime();
    const words = nameNow();
    if (!words) return label().tell('Add a class first: press N.');
    const one = { region: label().random(), start_s: at, end_s: Math.min(at + 1, recording.duration_s), names: [words] };
    recording.regions.push(one);
    chosen = one;
    draw();
    save(one);
  }
  const KEYS = {
    ' ': () => surfer.playPause(), p: playChosen, l: () => { isLoop = !isLoop; box.loop.checked = isLoop; }, Delete: remove, Backspace: remove,
    PageDown: () => turn(page.end_s), PageUp: () => turn(page.start_s - (page.end_s - page.start_s)), '.': () => neighbour(1), ',': () => neighbour(-1),
    Enter: mark, Escape: () => choose(null),
    '[': () => chosen && edge('start_s'), ']': () => chosen && edge('end_s'),
  };
  function edge(which) {
    const at = page.start_s + surfer.getCurrentTime();
    if (which === 'start_s' ? at >= chosen.end_s : at <= chosen.start_s) return;
    change(chosen, { [which]: at });
    draw();
  }
  function key(event, pressed) {
    if (!recording || !page || !surfer) return false;
    if (pressed === 'ArrowLeft') nudge(event, -1);
    else if (pressed === 'ArrowRight') nudge(event, 1);
    else if (KEYS[pressed]) KEYS[pressed]();
    else return false;
    return true;
  }

  /* ---- the page ---- */
  function build() {
    const view = label().part['view-regions'];
    const named = (called, tag, className) => (box[called] = make(tag, className));
    named('head', 'div', 'ac-where');
    const pages = make('select', 'ac-field ac-order');
    for (const [value, words] of PAGES) {
      const one = make('option', '', words);
      one.value = value;
      pages.append(one);
    }
    pages.setAttribute('aria-label', 'Length of a page');
    pages.addEventListener('change', () => { turn(page ? page.start_s : 0); outline(recording.file).catch(() => {}); });
    box.length = pages;
    box.play = label().button('Play', () => surfer && surfer.playPause(), 'Space');
    const loop = make('label', 'ac-toggle');
    named('loop', 'input').type = 'checkbox';
    box.loop.addEventListener('change', () => { isLoop = box.loop.checked; });
    loop.append(box.loop, 'Loop the chosen region');
    named('when', 'span', 'ac-when');
    box.head.append(label().button('◀', () => KEYS.PageUp(), 'Page back'), box.play, label().button('▶', () => KEYS.PageDown(), 'Page on'), pages, loop, box.when);
    const lane = make('div', 'ac-lane');
    named('loud', 'span');
    const axis = make('div', 'ac-yaxis');
    box.loud.style.bottom = '88%';
    axis.append(box.loud);
    named('wave', 'div', 'ac-wave');
    box.wave.addEventListener('pointerdown', () => { isHeld = true; }, true);
    for (const event of ['pointerup', 'pointercancel']) document.addEventListener(event, letGo);
    lane.append(axis, box.wave);
    const strip = make('div', 'ac-lane');
    named('strip', 'div', 'ac-plot ac-strip');
    strip.append(make('div'), box.strip);
    box.paint = canvas(box.strip, paintStrip);
    box.strip.addEventListener('click', (event) => {
      const frame = box.strip.getBoundingClientRect();
      turn(((event.clientX - frame.left) / frame.width) * recording.duration_s - (page.end_s - page.start_s) / 2);
    });
    const hint = 'Drag over the waveform to draw a region; drag its ends or its middle; a class’s key names it. Enter marks a second from the playhead; '
      + '[ and ] set its ends there; ← → move it by 10 ms (with Shift its end), P plays it, L loops it, Delete removes it, “,” and “.” choose the one before and after, Page Up and Page Down turn.';
    view.prepend(named('what', 'p', 'ac-empty'), box.head, strip, lane, named('pictures', 'div'), named('list', 'div', 'ac-soundrows'), make('p', 'ac-note', hint));
  }
  function paintStrip(pen, width, height, style) {
    if (!recording || !page) return;
    const x = (s) => (width * s) / recording.duration_s;
    pen.fillStyle = style.getPropertyValue('--ac-rest');
    pen.fillRect(x(page.start_s), 0, Math.max(2, x(page.end_s - page.start_s)), height);
    pen.fillStyle = style.color;
    (recording.outline || []).forEach(([low, high], i, all) => {
      pen.fillRect((i * width) / all.length, (height * (127 - high)) / 254, 1, Math.max(1, (height * (high - low)) / 254));
    });
    for (const one of recording.regions) {
      pen.fillStyle = colourOf(one.names[0]);
      pen.fillRect(x(one.start_s), height - 5, Math.max(2, x(one.end_s - one.start_s)), 5);
    }
  }
  function drawList() {
    const n = recording.regions.length;
    box.what.textContent = `${recording.file}: ${clock(recording.duration_s)} s, ${n} region${n === 1 ? '' : 's'}`;
    const order = [...recording.regions].sort((a, b) => a.start_s - b.start_s).slice(0, 200);
    box.list.replaceChildren(...order.map((one) => {
      const row = make('div', 'ac-soundrow');
      row.setAttribute('aria-current', Boolean(chosen && same(one, chosen)));
      const go = async () => {
        chosen = one;
        if (one.start_s < page.start_s || one.start_s >= page.end_s) await turn(one.start_s - 1);
        choose(one);
        playChosen();
      };
      const dot = make('i', 'ac-dot');
      dot.style.background = colourOf(one.names[0]);
      row.append(label().button('▶', go, 'Play'), dot, make('span', 'ac-said', one.names.join(', ') || 'no class yet'), make('span', 'ac-when', `${clock(one.start_s)} to ${clock(one.end_s)} s`));
      row.append(label().button('Remove', () => { chosen = one; remove(); }, 'Delete'));
      return row;
    }));
  }
  return { show, key, name, isNamed, pause, refresh, forget };
})();
