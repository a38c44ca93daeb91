/* Lanes: waveform, spectrogram and windows under each other on one time axis, and one playhead.

   A lane is a canvas or picture between a left gutter (its axis) and a row of seconds. The playhead
   and the chosen window are CSS variables on the document, so every lane shows the same moment.
   Words from outside are written with textContent only. */
window.audioclf = (() => {
  const root = document.documentElement;
  const player = new Audio();
  let sounding = player; // whichever element last started, Gradio's own players included
  let duration = 0;

  /* ---- playback ---- */
  const nativePlay = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (this !== sounding) sounding.pause();
    if (this !== sounding && this !== player) this.addEventListener('seeking', follow);
    sounding = this;
    requestAnimationFrame(follow);
    return nativePlay.apply(this, arguments);
  };
  function follow() {
    const sameSound = Math.abs((sounding.duration || 0) - duration) < 0.25;
    if (duration && sameSound) place(sounding.currentTime);
    if (!sounding.paused && !sounding.ended) requestAnimationFrame(follow);
  }
  function place(time) {
    root.style.setProperty('--audioclf-at', duration ? Math.min(1, time / duration) : 0);
  }
  function playFrom(time) {
    if (!duration) return;
    place(time);
    player.currentTime = time;
    player.play().catch(() => {});
  }
  const isPlaying = () => !player.paused && !player.ended;
  const toggles = new Set(); // the buttons that play and pause, of the lanes on the page
  function onPage() {
    for (const button of toggles) if (!button.isConnected) toggles.delete(button);
    return toggles;
  }
  for (const event of ['play', 'pause', 'ended']) {
    player.addEventListener(event, () => {
      for (const button of onPage()) button.textContent = isPlaying() ? 'Pause' : 'Play';
    });
  }
  function toggle(time) {
    if (isPlaying()) player.pause(); else playFrom(time);
  }
  function silence() {
    duration = 0;
    newSound(null);
    if (sounding !== player) sounding.pause();
  }
  function newSound(value) {
    const url = value && value.audio && value.audio.url;
    if ((player.dataset.url || '') === (url || '')) return;
    player.pause();
    player.dataset.url = url || '';
    if (url) player.src = url; else { player.removeAttribute('src'); player.load(); }
    place(0);
  }

  /* ---- building blocks ---- */
  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }
  const percent = (p) => (p >= 0.995 ? '> 99 %' : p < 0.005 ? '< 1 %' : Math.round(100 * p) + ' %');
  const spoken = (name) => name.replaceAll('_', ' ');

  function bars(rows) {
    const list = make('div', 'ac-bars');
    for (const row of rows) {
      const line = make('div', 'ac-bar');
      const fill = make('span', 'ac-fill');
      fill.style.width = 100 * row.probability + '%';
      fill.style.background = row.colour || 'var(--color-accent)';
      const track = make('span', 'ac-track');
      track.append(fill);
      line.append(make('span', 'ac-name', spoken(row.class)), track, make('span', 'ac-p', percent(row.probability)));
      list.append(line);
    }
    return list;
  }

  function timeTicks(length, from) {
    const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];
    const room = root.clientWidth < 700 ? 5 : 10;
    const step = steps.find((s) => length / s <= room) || 3600;
    const ticks = []; // seconds from the left, at round times
    for (let i = Math.ceil(from / step); i * step <= from + length * 1.0001; i++) ticks.push(i * step - from);
    return { ticks, step };
  }
  const clock = (s, step) =>
    step >= 60 || s >= 600
      ? Math.floor(s / 60) + ':' + String(Math.round(s % 60)).padStart(2, '0')
      : String(+s.toFixed(step < 1 ? 2 : 0));

  function frame(box, title, value) {
    const lane = make('div', 'ac-lane');
    const plot = make('div', 'ac-plot');
    const axis = make('div', 'ac-yaxis');
    const below = make('div', 'ac-xaxis');
    const { ticks, step } = timeTicks(value.duration_s, value.from_s || 0);
    const unit = step >= 60 || (value.from_s || 0) + value.duration_s >= 600 ? 'min' : 's';
    ticks.forEach((s, i) => {
      const tick = make('span', '', clock(s + (value.from_s || 0), step) + (i === ticks.length - 1 ? ' ' + unit : ''));
      tick.style.left = (100 * s) / value.duration_s + '%';
      if (s / value.duration_s > 0.96) tick.className = 'ac-last';
      below.append(tick);
    });
    for (const tick of value.ticks || []) {
      const label = make('span', '', tick.label);
      label.style.bottom = 100 * tick.at + '%';
      axis.append(label);
    }
    plot.append(make('div', 'ac-head'));
    const heading = make('div', 'ac-title');
    heading.append(title);
    lane.append(heading, axis, plot, below);
    box.append(lane);
    plot.addEventListener('click', (event) => {
      const box = plot.getBoundingClientRect();
      (value.seek || playFrom)((value.duration_s * (event.clientX - box.left)) / box.width);
    });
    return plot;
  }

  function canvas(plot, paint) {
    const sheet = make('canvas');
    plot.prepend(sheet);
    const draw = () => {
      const box = plot.getBoundingClientRect();
      if (!box.width) return;
      sheet.width = Math.round(box.width * devicePixelRatio);
      sheet.height = Math.round(box.height * devicePixelRatio);
      const pen = sheet.getContext('2d');
      pen.scale(devicePixelRatio, devicePixelRatio);
      paint(pen, box.width, box.height, getComputedStyle(plot));
    };
    new ResizeObserver(draw).observe(plot);
    return draw;
  }

  function cleared(element) {
    const box = element.querySelector('.ac');
    box.replaceChildren();
    return box;
  }
  const empty = (element, words) =>
    element.querySelector('.ac').replaceChildren(...(words ? [make('p', 'ac-empty', words)] : []));

  /* ---- lanes ---- */
  function waveform(element, props) {
    const value = props.value;
    if (!value) {
      if (element.closest('#lane-waveform')) silence();
      return empty(element);
    }
    if (value.audio) {
      duration = value.duration_s;
      newSound(value);
    }
    const plot = frame(cleared(element), value.title, value);
    plot.classList.add('ac-waveform');
    for (const stretch of value.stretches || []) {
      const mark = make('div', 'ac-stretch');
      mark.style.left = (100 * stretch[0]) / value.duration_s + '%';
      mark.style.width = (100 * (stretch[1] - stretch[0])) / value.duration_s + '%';
      plot.append(mark);
    }
    peaks(plot, value);
  }

  function peaks(plot, value) {
    canvas(plot, (pen, width, height, style) => {
      pen.fillStyle = style.color;
      const n = value.peaks.length;
      const step = width / n;
      value.peaks.forEach(([low, high], i) => {
        const top = (height * (127 - high)) / 254;
        const bottom = (height * (127 - low)) / 254;
        pen.fillRect(i * step, top, Math.max(step, 0.6), Math.max(bottom - top, 1));
      });
    });
  }

  function spectrogram(element, props) {
    const value = props.value;
    if (!value) return empty(element);
    images(cleared(element), value);
  }

  function images(box, value) {
    for (const channel of value.pictures) {
      const plot = frame(box, channel.title, { duration_s: value.duration_s, ticks: channel.ticks, seek: value.seek, from_s: value.from_s });
      plot.classList.add('ac-spectrogram');
      if (value.pictures.length > 1) plot.classList.add('ac-one-of-several');
      const picture = make('img');
      picture.src = channel.image;
      picture.alt = channel.title;
      plot.prepend(picture);
    }
  }

  function answer(element, props) {
    const value = props.value;
    if (!value) return;
    const box = element.querySelector('.ac');
    if (value.error) {
      box.replaceChildren(make('p', 'ac-error', value.error));
      box.firstChild.setAttribute('role', 'alert');
      return;
    }
    if (!value.ranking) return box.replaceChildren(make('p', 'ac-empty', value.sentence));
    const sentence = make('p', 'ac-sentence', value.sentence);
    sentence.setAttribute('role', 'status');
    if (value.many) return box.replaceChildren(sentence, window.audioclf.parts.searchable(value.ranking));
    box.replaceChildren(sentence, bars(value.ranking.slice(0, 5)));
    if (value.ranking.length > 5) {
      const rest = make('details', 'ac-rest');
      rest.append(make('summary', '', `all ${value.ranking.length} classes`), bars(value.ranking.slice(5)));
      box.append(rest);
    }
  }

  const remembered = { file: null, time: 0 }; // the chosen moment, while the sound is the same

  function windows(element, props) {
    const value = props.value;
    if (!value || !value.windows) return empty(element);
    if (value.rows) return window.audioclf.parts.heat(element, value);
    const n = value.windows.length;
    const plot = frame(cleared(element), value.title, {
      duration_s: value.duration_s,
      ticks: [{ at: 0, label: '0' }, { at: 0.5, label: '50 %' }, { at: 1, label: '100 %' }],
    });
    plot.classList.add('ac-windows');
    const until = (i) => (i + 1 < n ? value.windows[i + 1].start_s : value.windows[i].end_s);
    const top = value.top; // indices of the classes that get their colour
    canvas(plot, (pen, width, height, style) => {
      const scale = width / value.duration_s;
      value.windows.forEach((w, i) => {
        const left = w.start_s * scale;
        const right = Math.min(until(i), w.end_s) * scale;
        const gap = right - left > 8 ? 1.5 : 0;
        let floor = height;
        const stack = (p, colour) => {
          pen.fillStyle = colour;
          pen.fillRect(left, floor - p * height, Math.max(right - left - gap, 0.6), p * height);
          floor -= p * height;
        };
        top.forEach((c) => stack(w.probabilities[c], value.colours[c]));
        stack(Math.max(0, floor / height), style.getPropertyValue('--ac-rest'));
      });
    });

    const legend = make('div', 'ac-legend');
    top.forEach((c) => {
      const dot = make('i');
      dot.style.background = value.colours[c];
      const item = make('span');
      item.append(dot, spoken(value.classes[c]));
      legend.append(item);
    });
    if (value.classes.length > top.length) {
      const item = make('span');
      item.append(make('i', 'ac-others'), 'other classes');
      legend.append(item);
    }
    element.querySelector('.ac').append(legend);
    const ranked = (i) => value.windows[i].probabilities
      .map((p, c) => ({ class: value.classes[c], probability: p, colour: value.colours[c] }))
      .sort((a, b) => b.probability - a.probability);
    chooser(element, plot, value, ranked, n);
  }

  /* The window that is looked at: chosen with mouse and keyboard, with its classes below. */
  function chooser(element, plot, value, ranked, n) {
    const file = value.file + value.duration_s;
    if (remembered.file !== file) Object.assign(remembered, { file, time: 0 });
    let chosen = -1;
    const mark = make('div', 'ac-chosen');
    plot.append(mark);
    const panel = make('div', 'ac-panel');
    const back = make('button', 'ac-step', '◀');
    const on = make('button', 'ac-step', '▶');
    const play = make('button', 'ac-step ac-play', isPlaying() ? 'Pause' : 'Play');
    onPage().add(play);
    const words = make('span', 'ac-when');
    back.setAttribute('aria-label', 'Previous window');
    on.setAttribute('aria-label', 'Next window');
    const where = make('div', 'ac-where');
    where.append(back, words, on, play);
    const detail = make('div');
    panel.append(where, detail);
    element.querySelector('.ac').append(panel);

    plot.tabIndex = 0;
    plot.setAttribute('role', 'slider');
    plot.setAttribute('aria-label', 'Window');
    plot.setAttribute('aria-valuemin', 1);
    plot.setAttribute('aria-valuemax', n);
    function choose(index, aloud) {
      chosen = Math.max(0, Math.min(n - 1, index));
      const w = value.windows[chosen];
      remembered.time = w.start_s;
      const order = ranked(chosen);
      mark.style.left = (100 * w.start_s) / value.duration_s + '%';
      mark.style.width = (100 * (w.end_s - w.start_s)) / value.duration_s + '%';
      words.textContent = `Window ${chosen + 1} of ${n}: ${w.start_s.toFixed(2)} to ${w.end_s.toFixed(2)} s`;
      plot.setAttribute('aria-valuenow', chosen + 1);
      plot.setAttribute('aria-valuetext', `${words.textContent}: ${spoken(order[0].class)}, ${percent(order[0].probability)}`);
      detail.replaceChildren(bars(order.slice(0, 5)));
      back.disabled = chosen === 0;
      on.disabled = chosen === n - 1;
      if (aloud) playFrom(w.start_s);
    }
    back.addEventListener('click', () => choose(chosen - 1, true));
    on.addEventListener('click', () => choose(chosen + 1, true));
    play.addEventListener('click', () => toggle(value.windows[chosen].start_s));
    const windowAt = (time) => {
      const after = value.windows.findIndex((w) => w.start_s > time + 1e-6);
      return after < 0 ? n - 1 : Math.max(0, after - 1);
    };
    plot.addEventListener('click', (event) => {
      event.stopImmediatePropagation();
      const box = plot.getBoundingClientRect();
      choose(windowAt((value.duration_s * (event.clientX - box.left)) / box.width), true);
    }, true);
    plot.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -n, End: n }[event.key];
      if (step) choose(chosen + step, false);
      else if (event.key === 'Enter') choose(chosen, true);
      else if (event.key === ' ') toggle(value.windows[chosen].start_s);
      else if (event.key === 'Escape') player.pause();
      else return;
      event.preventDefault();
    });
    choose(windowAt(remembered.time), false);
    return panel;
  }

  const lanes = { waveform, spectrogram, answer, windows };
  function start(kind, element, props, watch) {
    const draw = () => lanes[kind](element, props);
    watch('value', draw);
    draw();
  }
  return { start, lanes, parts: { make, bars, frame, peaks, images, canvas, cleared, chooser, empty, percent, spoken } };
})();
