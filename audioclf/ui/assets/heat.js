/* Many classes: a searchable ranking, and the classes that matter as rows over time. */
(() => {
  const { make, bars, frame, canvas, cleared, chooser, spoken } = window.audioclf.parts;
  const AT_ONCE = 8; // rows of the ranking, and most that a search shows
  const MOST_FOUND = 30;

  /* The ranking: the first few, and a field that finds any other. */
  function searchable(rows) {
    const block = make('div', 'ac-search');
    const field = make('input', 'ac-field');
    field.type = 'search';
    field.placeholder = `Search ${rows.length} classes`;
    field.setAttribute('aria-label', field.placeholder);
    const list = make('div', 'ac-wide');
    const show = () => {
      const wanted = field.value.trim().toLowerCase();
      const found = wanted ? rows.filter((row) => spoken(row.class).toLowerCase().includes(wanted)) : rows.slice(0, AT_ONCE);
      list.replaceChildren(bars(found.slice(0, MOST_FOUND)));
      if (!found.length) list.replaceChildren(make('p', 'ac-empty', 'No class has that in its name.'));
      else if (found.length > MOST_FOUND) list.append(make('p', 'ac-empty', `and ${found.length - MOST_FOUND} more: type on`));
    };
    field.addEventListener('input', show);
    block.append(list, field);
    show();
    return block;
  }

  function heat(element, value) {
    const windows = value.windows;
    const n = windows.length;
    const until = (i) => (i + 1 < n ? windows[i + 1].start_s : windows[i].end_s);
    const plot = frame(cleared(element), value.title, { duration_s: value.duration_s });
    plot.classList.add('ac-heat');
    plot.style.height = 34 * value.rows.length + 4 + 'px';
    value.rows.forEach((row, number) => {
      const name = make('span', 'ac-row', spoken(row.class));
      name.style.top = 34 * number + 'px';
      plot.append(name);
    });
    canvas(plot, (pen, width, height, style) => {
      const scale = width / value.duration_s;
      const colour = style.color;
      value.rows.forEach((row, number) => {
        const top = 34 * number + 17;
        pen.globalAlpha = 1;
        pen.fillStyle = style.getPropertyValue('--ac-row');
        pen.fillRect(0, top, width, 15);
        pen.fillStyle = colour;
        row.probabilities.forEach((p, i) => {
          const left = windows[i].start_s * scale;
          const right = Math.min(until(i), windows[i].end_s) * scale;
          pen.globalAlpha = p;
          pen.fillRect(left, top, Math.max(right - left - (right - left > 8 ? 1 : 0), 0.6), 15);
        });
      });
    });
    chooser(element, plot, value, (i) => windows[i].best, n).classList.add('ac-wide');
  }

  Object.assign(window.audioclf.parts, { searchable, heat });
})();
