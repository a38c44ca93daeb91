/* Label: one sound at a time, one key per sound.

   What comes next is prepared before it is asked for, so that a key is answered at once; what was said
   goes to the server in its order, and is kept in the browser until the server has it. Words of people
   are written with textContent only. */
window.audioclf.label = (() => {
  const { make, frame, peaks, images, percent, spoken } = window.audioclf.parts;
  const AHEAD = 3;
  const KEPT = 16; // sounds that stay in memory to go back to
  const LETTERS = 'qwtyiodghjkzxcv'; // of classes after the ninth; the others are commands
  const VIEWS = [['queue', 'One by one'], ['regions', 'Regions'], ['sounds', 'All sounds'], ['map', 'Map']];
  const ORDERS = [['useful', 'most useful first'], ['certain', 'most certain first'], ['filed', 'as filed']];
  const KEYS = [
    ['1 to 9, letters', 'choose a class and go on'], ['Enter', 'accept the suggestion'], ['Space', 'play, pause'],
    ['← →', 'back and forth'], ['U', 'undo'], ['S', 'skip'], ['N', 'new class'], ['0', 'not sure'], ['B', 'bad audio'],
    ['F', 'find more like this'], ['E', 'mark regions in this recording'], ['R', 'from its beginning'],
    ['A', 'play by itself'], ['L', 'loop'], ['M', 'several classes'], ['?', 'these keys'],
  ];
  const part = {}; // parts of the page by name
  let desk, server;
  let asked = null; // data set, cutting, suggestions
  let waiting = false; // opened when the tab is seen
  let state = null; // where the set stands, as the server said last
  let view = 'queue';
  let seen = [], at = -1, ahead = [], skipped = [];
  let outbox = [], isSending = false, isComing = false, said = [], times = [];
  let lastInput = '';
  let chosen = new Set();
  let poll = 0, opening = 0;

  /* ---- what stays in the browser ---- */
  const remembered = (name, otherwise) => {
    try { return JSON.parse(localStorage.getItem('audioclf-' + name)) ?? otherwise; } catch { return otherwise; }
  };
  const remember = (name, value) => {
    try { localStorage.setItem('audioclf-' + name, JSON.stringify(value)); } catch { /* private mode */ }
  };
  const random = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('');
  const options = remembered('label', { play: true, loop: false, several: false, order: 'useful' });
  const who = remembered('who', null) || random();
  remember('who', who);
  const tab = random();

  /* ---- the server ---- */
  const STALE = new Error(''); // an answer to what is not asked about any more
  async function call(name, more) {
    const number = opening;
    const found = await server[name]({ ...asked, order: options.order, who, tab, ...more });
    if (number !== opening) throw STALE;
    if (!found) throw new Error('The page cannot reach its server: is it still running?');
    if (found.error) throw new Error(found.error);
    return found;
  }
  const placeOf = (item) => ({ file: item.file, start_s: item.start_s, end_s: item.end_s });
  const keyOf = (item) => JSON.stringify([item.file, item.start_s, item.end_s]);
  const current = () => seen[at];
  const onTheWay = () => outbox.filter((one) => one.name === 'say_label' && one.number === opening).map((one) => one.more);
  const heldNow = () => [...ahead, ...skipped, ...onTheWay(), ...(current() && !current().said ? [current()] : [])].map(placeOf);

  async function open() {
    const number = ++opening;
    clearTimeout(poll);
    seen.forEach(drop); ahead.forEach(drop);
    [seen, at, ahead, skipped, said, state, times] = [[], -1, [], [], [], null, []];
    isComing = false;
    part.alike.replaceChildren();
    window.audioclf.regions.forget();
    tell('');
    part.views.hidden = !asked;
    part.views.dataset.set = '';
    window.audioclf.browse.forget();
    if (!asked) return;
    await resend();
    await Promise.race([sent(), new Promise((wait) => setTimeout(wait, 3000))]);
    if (number !== opening) return;
    try {
      let found = await call('open_queue', { n: AHEAD, held: [] });
      while (found.n_uncut && number === opening) {
        tell(`Looking for silences: ${found.n_uncut} recording${found.n_uncut > 1 ? 's' : ''} left…`);
        found.n_uncut = (await call('cut_recordings')).n_left;
        if (!found.n_uncut) found = await call('open_queue', { n: AHEAD, held: [] });
      }
      if (number !== opening) return;
      tell('');
      part.typed.maxLength = found.max_name;
      take(found);
      show('queue');
      next();
      part.views.dataset.set = asked.set;
      if (!found.classes.length) askClass();
    } catch (error) { error === STALE || tell(error.message, true); }
  }

  /* Where the set stands now, and what comes next. */
  function take(found) {
    if (!outbox.length || !state) state = { ...found, next: undefined, held: undefined };
    const known = new Map(found.held.map((one) => [keyOf(one), one]));
    for (const item of [...ahead, ...seen]) {
      const fresh = known.get(keyOf(item));
      if (fresh && !item.said) item.suggested = fresh.suggested && { ...fresh.suggested, by_chance: item.suggested?.by_chance ?? false };
    }
    for (const item of ahead.filter((one) => known.get(keyOf(one))?.said)) drop(item); // elsewhere
    ahead = ahead.filter((one) => !known.get(keyOf(one))?.said);
    const away = new Set([...ahead, ...skipped, ...onTheWay(), ...(current() ? [current()] : [])].map(keyOf));
    for (const one of found.next) {
      if (away.has(keyOf(one)) || ahead.length >= AHEAD) continue;
      for (const before of seen) if (keyOf(before) === keyOf(one)) before.said = null; // taken back elsewhere
      ahead.push(prepare(one));
    }
    clearTimeout(poll);
    const { listens } = found;
    if (listens.kind !== 'none' && !listens.ready && !listens.trouble) poll = setTimeout(follow, 1500);
    drawState();
  }
  async function follow() {
    const before = state && state.listens.ready;
    try {
      if (!isSeen()) { poll = setTimeout(follow, 3000); return; }
      const found = await call('ask_next', { n: 0, held: heldNow() });
      take(found);
      if (found.listens.ready && !before) { ahead.splice(1).forEach(drop); await refill(); }
    } catch (error) { if (error !== STALE) poll = setTimeout(follow, 5000); }
  }
  async function refill() {
    const n = AHEAD - ahead.length;
    if (n > 0) take(await call('ask_next', { n, held: heldNow() }));
  }

  function prepare(item) {
    const number = (item.number = (item.number || 0) + 1);
    item.sheet = call('prepare_candidate', placeOf(item)).then(async (got) => {
      const blob = got.trouble ? null : await (await fetch(got.audio)).blob();
      if (number !== item.number) throw STALE; // dropped meanwhile
      if (blob) {
        item.player = new Audio(URL.createObjectURL(blob));
        item.player.preload = 'auto';
        for (const event of ['play', 'pause', 'ended', 'seeking']) item.player.addEventListener(event, () => follows(item));
      }
      item.got = { ...got, audio: undefined };
      return item.got;
    });
    item.sheet.catch(() => { if (number === item.number) item.sheet = null; });
    return item;
  }
  function drop(item) {
    if (item.player) { item.player.pause(); URL.revokeObjectURL(item.player.src); }
    item.sheet = item.got = item.player = null;
    item.number = (item.number || 0) + 1;
  }

  /* ---- playing ---- */
  function follows(item) {
    if (item !== current() || !item.player) return;
    const { player } = item;
    desk.style.setProperty('--audioclf-at', player.duration ? Math.min(1, player.currentTime / player.duration) : 0);
    part.play.textContent = player.paused ? 'Play' : 'Pause';
    if (!player.paused) requestAnimationFrame(() => follows(item));
  }
  const silence = () => seen.forEach((item) => item.player && item.player.pause());
  function play(item, from) {
    if (!item?.player) return;
    item.player.loop = options.loop;
    if (from !== undefined && item.player.currentTime !== from) item.player.currentTime = from; // a seek takes its time
    item.player.play().catch((error) => {
      if (error.name === 'NotAllowedError') tell('Press Space to play: this browser wants a key or a click first.');
    });
  }
  function toggle() {
    const player = current()?.player;
    if (!player) return;
    if (player.paused) play(current(), player.ended ? 0 : undefined); else player.pause();
  }

  /* ---- back and forth ---- */
  async function next() {
    silence();
    if (at < seen.length - 1) { at += 1; return arrive(); }
    if (ahead.length) {
      seen.push(ahead.shift());
      at = seen.length - 1;
      return arrive();
    }
    at = seen.length; // nothing is shown, so that no key speaks of the sound before
    part.title.textContent = '';
    part.lanes.replaceChildren(make('p', 'ac-empty ac-coming', 'Coming…'));
    if (isComing) return;
    const number = opening;
    isComing = true;
    const isMore = await more().catch((error) => { if (error !== STALE) tell(error.message, true); return null; });
    if (number !== opening) return;
    isComing = false;
    if (at < seen.length) return; // somebody went back meanwhile
    if (isMore) next();
    else if (isMore === null) setTimeout(() => number === opening && at >= seen.length && part.end.hidden && next(), 2000);
    else finish();
  }
  function arrive() {
    showCurrent();
    refill().catch((error) => { if (error !== STALE) tell(error.message, true); });
  }
  async function more() {
    await sent();
    await refill();
    if (!ahead.length && skipped.length) { skipped = []; await refill(); }
    return ahead.length > 0;
  }
  function back() {
    if (at <= 0) return;
    silence();
    at -= 1;
    showCurrent();
  }
  function forth() {
    const item = current();
    if (item && !item.said && at === seen.length - 1) skipped.push(placeOf(item));
    next();
  }
  async function showCurrent() {
    const item = current();
    const isHeard = options.play && view === 'queue' && isSeen();
    if (isHeard && item.player) play(item, 0); // before anything is drawn
    chosen = new Set(item.said ? item.said.names : []);
    if (!item.sheet) prepare(item);
    for (const [i, one] of seen.entries()) if (one.sheet && Math.abs(i - at) > KEPT) drop(one);
    drawSound(item);
    drawState();
    part.alike.replaceChildren();
    try {
      const got = item.got || (await item.sheet);
      if (item !== current()) return;
      if (got.trouble) return leaveOut(item, got.trouble);
      drawLanes(item);
      if (got.is_beginning) tell('This is its beginning: two minutes. Mark regions in it (E), or have long recordings cut, below.');
      desk.style.setProperty('--audioclf-at', 0);
      if (isHeard && item.player?.paused) play(item, 0);
    } catch (error) { error === STALE || tell(error.message, true); }
  }
  function leaveOut(item, why) {
    tell(`Left out: ${why}`, true);
    seen.splice(seen.indexOf(item), 1);
    at = seen.length - 1;
    next();
  }
  function finish() {
    at = seen.length; // behind the last one: ← goes back
    part.sound.hidden = true;
    const n = state ? state.n_said : 0;
    part.end.textContent = state && state.n_all
      ? `That is all: ${n} of ${state.n_all} sounds are labelled. ← looks at the last ones again; what follows stands below.`
      : 'There is nothing to label in this data set: add sounds to it, or cut its recordings otherwise.';
    part.end.hidden = false;
  }

  /* ---- saying ---- */
  function say(kind, names, isAccepted) {
    const item = current();
    if (!item || part.sound.hidden) return;
    const [token, mine] = [random(), { kind, names }];
    said.push({ token, item, before: item.said });
    count(item.said, -1);
    item.said = mine;
    count(item.said, 1);
    tell('');
    times = [...times.slice(-30), Date.now()];
    const before = said[said.length - 1].before;
    post('say_label', { ...placeOf(item), token, mark: kind, names, suggested: item.suggested, accepted: Boolean(isAccepted) }).then((found) => {
      if (found || item.said !== mine) return;
      item.said = before; // refused
      count(mine, -1);
      count(before, 1);
      said = said.filter((one) => one.token !== token);
      drawState();
    });
    const waits = new Set(skipped.map(keyOf));
    const following = seen.findIndex((one, i) => i > at && !one.said && !waits.has(keyOf(one)));
    at = (following < 0 ? seen.length : following) - 1;
    next();
  }
  const refreshed = () => (view === 'regions' ? window.audioclf.regions.refresh() : view === 'sounds' && window.audioclf.browse.sounds());
  function count(mark, by) {
    if (!mark || !state) return;
    state.n_said += by;
    for (const name of mark.names) {
      const found = state.classes.find((one) => one.name === name);
      if (found) found.n += by;
      else if (by > 0) state.classes.push({ name, n: 1, colour: 'var(--ac-muted)' });
    }
  }
  function accept() {
    const item = current();
    if (options.several && chosen.size) return say('label', [...chosen]);
    if (item?.suggested) return say('label', [item.suggested.name], true);
    tell('Nothing is suggested yet: choose a class.');
  }
  function choose(name) {
    if (view === 'regions') return window.audioclf.regions.name(name);
    if (!options.several) return say('label', [name]);
    if (!chosen.delete(name)) chosen.add(name);
    drawState();
  }
  function undo() {
    const last = said.pop();
    if (!last) {
      post('undo_label', { own: random() }).then((found) => {
        if (found?.undone && !found.undone.region && view === 'queue') goTo({ ...found.undone, said: null, suggested: null });
        tell(found?.undone ? `Taken back: ${found.undone.file}.` : 'There is nothing to take back.');
        refreshed();
      });
      return;
    }
    for (const token of last.tokens || [last.token]) post('undo_label', { token, own: random() }).then(() => (last.region || last.tokens) && refreshed());
    if (!last.item) return;
    count(last.item.said, -1);
    count(last.before, 1);
    last.item.said = last.before;
    silence();
    if (!seen.includes(last.item)) seen.push(last.item);
    at = seen.indexOf(last.item);
    showCurrent();
    setTimeout(sync, 800); // when suggestions follow from the labels as they are now
  }
  /* Where the set stands by now. */
  async function sync() {
    try { if (asked) take(await call('ask_next', { n: 0, held: heldNow() })); } catch { /* the next answer says it */ }
  }

  /* One after the other, again until the server has it; what is not there yet outlives a reload. */
  function post(name, more) {
    const letter = { name, number: opening, more: { ...asked, ...more } };
    const done = new Promise((resolve) => { letter.resolve = resolve; });
    outbox.push(letter);
    keepOutbox();
    send();
    return done;
  }
  const keepOutbox = () => {
    const kept = outbox.map(({ name, more }) => ({ name, more }));
    if (kept.length) remember('outbox-' + tab, kept); else localStorage.removeItem('audioclf-outbox-' + tab);
  };
  async function send() {
    if (isSending) return;
    isSending = true;
    while (outbox.length) {
      const [letter] = outbox;
      try {
        const n = letter.name === 'save_region' ? 0 : Math.max(0, AHEAD - ahead.length);
        const found = await server[letter.name]({ who, tab, order: options.order, ...letter.more, n, held: heldNow() });
        if (!found) throw new Error('not reached');
        if (found.is_passing) throw new Error(found.error);
        outbox.shift();
        keepOutbox();
        if (found.error) tell(found.error, true);
        else if (found.next && letter.number === opening) take(found);
        letter.resolve(found.error ? null : found);
        if (part.unsaved) part.unsaved.textContent = '';
      } catch (error) {
        part.unsaved.textContent = `Not saved yet: ${outbox.length}. Kept here, and sent again…`;
        if (error.message.includes(' ')) part.unsaved.title = error.message;
        await new Promise((wait) => setTimeout(wait, 2000));
      }
    }
    isSending = false;
  }
  const sent = () => new Promise((done) => {
    const look = () => (outbox.length ? setTimeout(look, 20) : done());
    look();
  });
  /* What a closed or reloaded page had not sent: the server keeps each only once. */
  async function resend() {
    const names = Object.keys(localStorage).filter((name) => name.startsWith('audioclf-outbox-') && !name.endsWith(tab));
    for (const name of names) {
      try {
        const kept = localStorage.getItem(name);
        for (const letter of JSON.parse(kept) || []) {
          const found = await server[letter.name]({ who, ...letter.more, n: 0, held: [] });
          if (!found || found.is_passing) return;
        }
        if (localStorage.getItem(name) === kept) localStorage.removeItem(name); // else its window is alive
      } catch { return; }
    }
  }

  /* ---- classes ---- */
  const keyOfClass = (i) => (i < 9 ? String(i + 1) : LETTERS[i - 9] || '');
  function askClass() {
    part.adding.hidden = false;
    part.typed.focus();
  }
  async function addClass(event) {
    const isOnly = event.shiftKey || (view === 'queue' && !state?.classes.length) || part.typed.value.includes(',');
    const names = part.typed.value.split(',').map((name) => name.trim()).filter(Boolean);
    if (!names.length) return closeField();
    const [typed, item] = [part.typed.value, current()];
    part.typed.value = ''; // a second Enter finds nothing
    closeField();
    try {
      take(await call('add_classes', { names, n: 0, held: heldNow() }));
      if (!isOnly && (view === 'regions' || item === current())) choose(names[0]);
    } catch (error) {
      if (error === STALE) return;
      tell(error.message, true);
      part.typed.value = typed;
      askClass();
    }
  }
  function closeField() {
    part.adding.hidden = true;
    part.typed.blur();
  }

  /* ---- drawing ---- */
  function tell(words, isError) {
    part.note.textContent = words;
    part.note.className = isError ? 'ac-error' : 'ac-empty';
    part.note.hidden = !words;
  }
  function button(words, act, title) {
    const made = make('button', 'ac-step', words);
    made.type = 'button';
    if (title) made.title = title;
    made.addEventListener('click', () => { act(); made.blur(); });
    return made;
  }
  function toggleOf(name, words, title) {
    const label = make('label', 'ac-toggle');
    const box = make('input');
    box.type = 'checkbox';
    box.checked = options[name];
    box.addEventListener('change', () => { set(name, box.checked); box.blur(); });
    label.append(box, words);
    label.title = title;
    part['set-' + name] = box;
    return label;
  }
  function set(name, value) {
    options[name] = value;
    remember('label', options);
    if (part['set-' + name]) part['set-' + name].checked = value;
    if (name === 'loop' && current()?.player) current().player.loop = value;
    if (name === 'order') { ahead.forEach(drop); ahead = []; refill().catch((error) => tell(error.message, true)); }
    chosen = new Set(current()?.said?.names || []);
    drawState();
  }
  function show(name) {
    view = name;
    for (const [one] of VIEWS) {
      part['view-' + one].hidden = one !== name;
      part['tab-' + one].setAttribute('aria-pressed', one === name);
    }
    part.naming.hidden = !['queue', 'regions'].includes(name);
    if (name === 'regions') part['view-regions'].append(part.naming); else part.slot.append(part.naming);
    if (name !== 'queue') silence();
    if (name !== 'regions') window.audioclf.regions.pause();
    if (name === 'sounds') window.audioclf.browse.sounds();
    if (name === 'map') window.audioclf.browse.map();
    if (name === 'regions') window.audioclf.regions.show(current());
    drawState();
  }
  const times_of = (s, n = 1) => (s >= 60 ? `${Math.floor(s / 60)}:${(s % 60).toFixed(n).padStart(n + 3, '0')}` : s.toFixed(n));
  const titleOf = (item) => (item.start_s === null ? item.file : `${item.file}, ${times_of(item.start_s)} to ${times_of(item.end_s)} s`);
  function drawSound(item) {
    part.end.hidden = true;
    part.end.textContent = '';
    part.sound.hidden = false;
    part.title.textContent = titleOf(item);
    part.title.title = item.file;
    part.play.textContent = 'Play';
    if (!item.got) part.lanes.replaceChildren(make('p', 'ac-empty ac-coming', 'Coming…'));
  }
  function drawLanes(item) {
    part.lanes.replaceChildren();
    const seek = (s) => play(item, s);
    const plot = frame(part.lanes, item.got.waveform.title, { ...item.got.waveform, seek });
    plot.classList.add('ac-waveform');
    peaks(plot, item.got.waveform);
    images(part.lanes, { ...item.got.spectrogram, seek });
  }
  function drawState() {
    if (!state) return;
    const item = current();
    const left = Math.max(0, state.n_all - state.n_said);
    const gaps = times.slice(1).map((t, i) => t - times[i]).filter((gap) => gap < 30000); // others are pauses
    const rate = gaps.length > 3 ? (gaps.length * 60000) / Math.max(1, gaps.reduce((a, b) => a + b)) : 0;
    const words = [`${state.n_said} of ${state.n_all} labelled`];
    if (rate) words.push(`${Math.round(rate)} per minute`);
    if (rate && left) words.push(`about ${Math.max(1, Math.round(left / rate))} min left`);
    for (const [kind, called] of [['unsure', 'not sure'], ['bad audio', 'bad audio']]) {
      if (state.kinds[kind]) words.push(`${state.kinds[kind]} ${called}`);
    }
    part.progress.textContent = words.join(' · ');
    part.bar.style.width = (100 * state.n_said) / Math.max(1, state.n_all) + '%';
    drawTroubles();
    drawSuggestion(item);
    part.classes.replaceChildren(...state.classes.map((one, i) => classButton(one, i, item)), newButton());
    part.known.replaceChildren(...state.classes.map((one) => { const o = make('option'); o.value = one.name; return o; }));
  }
  function classButton(one, i, item) {
    const made = button('', () => choose(one.name), one.name);
    made.className = 'ac-class';
    const dot = make('i', 'ac-dot');
    dot.style.background = one.colour;
    made.append(make('kbd', '', keyOfClass(i)), dot, make('span', 'ac-name', one.name), make('span', 'ac-n', String(one.n)));
    const isChosen = view === 'regions' ? window.audioclf.regions.isNamed(one.name) : chosen.has(one.name);
    made.setAttribute('aria-pressed', isChosen);
    return made;
  }
  function newButton() {
    const made = button('', askClass, 'New class');
    made.className = 'ac-class ac-new';
    made.append(make('kbd', '', 'N'), make('span', 'ac-name', 'new class'));
    return made;
  }
  function drawSuggestion(item) {
    const { listens, accuracy } = state;
    part.suggestion.replaceChildren();
    if (item?.suggested) {
      const made = button('', accept, 'Accept the suggestion');
      made.className = 'ac-class ac-accept';
      made.append(make('kbd', '', 'Enter'), make('span', 'ac-name', item.suggested.name), make('span', 'ac-n', percent(item.suggested.probability)));
      part.suggestion.append(made, make('span', 'ac-note', `suggested by ${item.suggested.by}${item.suggested.by_chance ? '; this sound came at random' : ''}`));
    } else part.suggestion.append(make('span', 'ac-note', whyNothing(listens)));
    if (item?.said) part.suggestion.append(make('span', 'ac-said', `You said: ${item.said.names.join(', ') || (item.said.kind === 'unsure' ? 'not sure' : item.said.kind)}`));
    const right = accuracy.n_labels ? `Suggestions were right for ${accuracy.n_right} of your last ${accuracy.n_labels} label${accuracy.n_labels > 1 ? 's' : ''}` : '';
    const chance = accuracy.n_by_chance ? ` (${accuracy.n_right_by_chance} of ${accuracy.n_by_chance} that came at random)` : '';
    part.accuracy.textContent = right + chance + (right ? '.' : '');
  }
  function whyNothing(listens) {
    if (listens.trouble) return listens.trouble;
    if (listens.kind === 'none') return 'No suggestions: choose a network under “Suggestions” below.';
    if (!listens.ready) return `${listens.network} is listening: ${listens.n_heard} of ${listens.n_files} sounds. Label meanwhile.`;
    return 'Suggestions come when two classes have a label.';
  }
  function drawTroubles() {
    part.troubles.hidden = !state.n_troubles;
    part.troubles.firstChild.textContent = `${state.n_troubles} sound${state.n_troubles > 1 ? 's' : ''} cannot be heard, and ${state.n_troubles > 1 ? 'are' : 'is'} left out`;
    part.troubleList.replaceChildren(...state.troubles.map(([, why]) => make('li', '', why)));
  }

  /* ---- keys ---- */
  const isSeen = () => desk.offsetParent !== null && !document.hidden;
  const isTyping = (node) => node && (node.isContentEditable || ['TEXTAREA', 'SELECT'].includes(node.tagName)
    || (node.tagName === 'INPUT' && !['checkbox', 'radio', 'range', 'button'].includes(node.type)));
  /* A control that was reached with the keyboard keeps the keys that work it. */
  const isItsOwn = (node, key) => ['Enter', ' ', 'ArrowLeft', 'ArrowRight'].includes(key) && node && node !== document.body
    && node.matches('button, a, input, [role=tab], summary, [tabindex]') && lastInput === 'Tab' && !node.closest('.ac-lanes');
  const COMMANDS = {
    ' ': toggle, ArrowLeft: back, ArrowRight: forth, Enter: accept, s: forth, u: undo, n: askClass, r: () => play(current(), 0),
    0: () => say('unsure', []), b: () => say('bad audio', []), f: () => window.audioclf.browse.alike(current()),
    e: () => show('regions'), a: () => set('play', !options.play), l: () => set('loop', !options.loop),
    m: () => set('several', !options.several), '?': () => { part.keys.open = !part.keys.open; },
  };
  function onKey(event) {
    if (!asked || !isSeen() || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isItsOwn(event.target, event.key)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const number = state ? state.classes.findIndex((_, i) => keyOfClass(i) === key) : -1;
    if (view === 'regions' && event.repeat && !key.startsWith('Arrow')) return stop(event);
    if (view === 'regions' && window.audioclf.regions.key(event, key)) return stop(event);
    if (!['queue', 'regions'].includes(view)) return;
    if (event.repeat && !key.startsWith('Arrow')) return stop(event); // held: one key, one sound
    if (number >= 0) choose(state.classes[number].name);
    else if (view === 'regions' && !['n', 'u', '?'].includes(key)) return;
    else if (COMMANDS[key]) COMMANDS[key]();
    else return;
    stop(event);
  }
  function stop(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  /* ---- the page ---- */
  function build() {
    const box = desk.querySelector('.ac-desk');
    const named = (name, tag, className) => (part[name] = make(tag, className));
    const head = make('div', 'ac-deskhead');
    const track = make('div', 'ac-track');
    track.append(named('bar', 'span', 'ac-fill'));
    named('progress', 'span', 'ac-progress').setAttribute('role', 'status');
    head.append(part.progress, named('unsaved', 'span', 'ac-unsaved'), track);
    const tabs = make('div', 'ac-switch');
    for (const [name, words] of VIEWS) tabs.append((part['tab-' + name] = button(words, () => show(name))));
    named('note', 'p', 'ac-empty').setAttribute('role', 'alert');
    named('troubles', 'details', 'ac-rest').append(make('summary'), named('troubleList', 'ul'));
    for (const [name] of VIEWS) named('view-' + name, 'div', 'ac-view');
    named('views', 'div');
    named('naming', 'div').append(named('classes', 'div', 'ac-classes'), buildField(named));
    part['view-queue'].append(buildSound(named), named('end', 'p', 'ac-sentence'));
    part.views.append(head, tabs, part.note, part.troubles, ...VIEWS.map(([name]) => part['view-' + name]), named('alike', 'div'), buildKeys(named));
    part.views.hidden = true;
    box.append(part.views);
  }
  function buildSound(named) {
    const where = make('div', 'ac-where');
    part.play = button('Play', toggle, 'Space');
    const order = make('select', 'ac-field ac-order');
    for (const [name, words] of ORDERS) {
      const one = make('option', '', words);
      one.value = name;
      order.append(one);
    }
    order.value = options.order;
    order.setAttribute('aria-label', 'Order');
    order.addEventListener('change', () => { set('order', order.value); order.blur(); });
    where.append(button('◀', back, 'Back (←)'), part.play, button('▶', forth, 'On (→)'), named('title', 'span', 'ac-soundname'));
    const switches = make('div', 'ac-switches');
    switches.append(toggleOf('play', 'Play by itself', 'A'), toggleOf('loop', 'Loop', 'L'), toggleOf('several', 'Several classes', 'M'), order);
    const others = make('div', 'ac-where');
    others.append(button('Undo (U)', undo), button('Skip (S)', forth), button('Not sure (0)', () => say('unsure', [])), button('Bad audio (B)', () => say('bad audio', [])), button('More like this (F)', COMMANDS.f), button('Regions (E)', COMMANDS.e));
    named('sound', 'div').append(where, named('lanes', 'div', 'ac-lanes'), named('suggestion', 'div', 'ac-where'), named('slot', 'div'), others, switches, named('accuracy', 'p', 'ac-note'));
    return part.sound;
  }
  function buildField(named) {
    const list = named('known', 'datalist');
    list.id = 'ac-known';
    named('typed', 'input', 'ac-field').setAttribute('list', 'ac-known');
    part.typed.placeholder = 'name of a class, or several with commas';
    part.typed.setAttribute('aria-label', 'New class');
    part.typed.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') { event.preventDefault(); if (!event.repeat) addClass(event); }
      if (event.key === 'Escape') closeField();
      event.stopPropagation();
    });
    named('adding', 'div', 'ac-where').append(part.typed, list, make('span', 'ac-note', 'Enter gives it to this sound; Shift+Enter only adds it; Esc leaves.'));
    part.adding.hidden = true;
    return part.adding;
  }
  function buildKeys(named) {
    named('keys', 'details', 'ac-rest').append(make('summary', '', 'Keys (?)'));
    const list = make('dl', 'ac-keys');
    for (const [key, words] of KEYS) {
      const row = make('div');
      const name = make('dt');
      name.append(make('kbd', '', key));
      row.append(name, make('dd', '', words));
      list.append(row);
    }
    part.keys.append(list);
    return part.keys;
  }
  function start(element, props, itsServer, watch) {
    [desk, server] = [element, itsServer];
    build();
    const changed = () => {
      const value = props.value && props.value.set ? props.value : null;
      if (JSON.stringify(value) === JSON.stringify(asked)) return;
      asked = value;
      if (isSeen() || !asked) open(); else waiting = true;
    };
    new IntersectionObserver(() => {
      if (!isSeen()) { if (desk.offsetParent === null) { silence(); window.audioclf.regions.pause(); } return; }
      if (waiting) { waiting = false; open(); }
    }).observe(element);
    document.addEventListener('keydown', (event) => { if (event.key === 'Tab') lastInput = 'Tab'; }, true);
    document.addEventListener('pointerdown', () => { lastInput = 'mouse'; }, true);
    document.addEventListener('keydown', onKey, true);
    watch('value', changed);
    changed();
  }
  const goTo = (place) => {
    const found = seen.findIndex((item) => keyOf(item) === keyOf(place));
    const coming = ahead.find((item) => keyOf(item) === keyOf(place));
    ahead = ahead.filter((item) => item !== coming);
    silence();
    if (found >= 0) at = found;
    else { seen.push(coming || prepare({ ...place })); at = seen.length - 1; }
    Object.assign(current(), { said: place.said });
    show('queue');
    showCurrent();
  };
  return {
    start, call, post, isCurrent: (item) => item === current(), show, tell, sync, goTo, titleOf, keyOf, placeOf, random, button, part, drawState, times_of,
    state: () => state, options, remember: (token) => said.push({ token, region: true }), rememberAll: (tokens) => said.push({ tokens }), skip: (place) => skipped.push(place), classNamed: (name) => state && state.classes.find((one) => one.name === name),
    say_of: (item, names, token) => post('say_label', { ...placeOf(item), token, mark: 'label', names, suggested: item.suggested, accepted: item.suggested?.name === names[0] }),
  };
})();
