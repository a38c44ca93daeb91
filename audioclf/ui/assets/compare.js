/* The Compare lane: one row per network, its windows in their class's colour on the time axis. */
(() => {
  const { make, bars, frame, canvas, cleared, empty, percent, spoken } = window.audioclf.parts;

  const MOST_NAMED = 18; // classes in the legend

  function dot(colour) {
    const mark = make('i', 'ac-dot');
    mark.style.background = colour;
    return mark;
  }

  function heading(row) {
    const words = make('div', 'ac-voice');
    words.append(make('span', 'ac-network', row.network));
    if (row.error) words.append(make('span', 'ac-error', row.error));
    else if (!row.answer) words.append(make('span', 'ac-empty', '…'));
    else {
      const answer = make('strong');
      answer.append(dot(row.colour), row.answer);
      const [best, second] = [row.best, row.second].map((one) => `${spoken(one.class)} ${percent(one.probability)}`);
      words.append(answer, make('span', 'ac-empty', row.is_sure ? `then ${second}` : `${best}, then ${second}`));
    }
    return words;
  }

  /* A window reaches to the start of the next one; its height is the probability of its class. */
  function paint(windows, value) {
    return (pen, width, height, style) => {
      const scale = width / value.duration_s;
      windows.forEach(([start, end, name, probability], i) => {
        const left = start * scale;
        const right = (i + 1 < windows.length ? Math.min(windows[i + 1][0], end) : end) * scale;
        const gap = right - left > 8 ? 1.5 : 0;
        const wide = Math.max(right - left - gap, 0.6);
        pen.fillStyle = style.getPropertyValue('--ac-rest');
        pen.fillRect(left, 0, wide, height);
        pen.fillStyle = value.colours[name];
        pen.fillRect(left, height * (1 - probability), wide, height * probability);
      });
    };
  }

  function legend(value) {
    const all = [...new Set(value.rows.flatMap((row) => (row.windows || []).map((w) => w[2])))];
    const names = new Set(all.slice(0, MOST_NAMED));
    const line = make('div', 'ac-legend');
    for (const name of names) {
      const item = make('span');
      item.append(dot(value.colours[name]), spoken(name));
      line.append(item);
    }
    if (all.length > names.size) line.append(make('span', '', `and ${all.length - names.size} more classes;`));
    if (names.size) line.append(make('span', '', 'A window has the colour of its class; its height is the probability.'));
    return line;
  }

  function common(together) {
    const block = make('div', 'ac-together');
    if (together.answer) block.append(make('strong', '', `Together: ${together.answer}`));
    block.append(make('p', 'ac-empty', together.note));
    if (together.ranking) block.append(bars(together.ranking));
    return block;
  }

  window.audioclf.lanes.compare = (element, props) => {
    const value = props.value;
    if (!value || value.error) {
      empty(element, value && value.error);
      if (value) element.querySelector('.ac-empty').className = 'ac-error';
      return;
    }
    if (!value.rows) return empty(element, value.sentence);
    const box = cleared(element);
    const sentence = make('p', 'ac-agreement', value.sentence);
    sentence.setAttribute('role', 'status');
    box.append(sentence);
    if (value.together) box.append(common(value.together));
    const list = make('div', 'ac-voices');
    box.append(list);
    for (const row of value.rows) {
      const plot = frame(list, heading(row), value);
      plot.classList.add('ac-strip');
      if (row.windows) canvas(plot, paint(row.windows, value));
      else if (row.error) plot.classList.add('ac-none');
    }
    box.append(legend(value));
  };
})();
