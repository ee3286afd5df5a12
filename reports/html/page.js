(() => {
  'use strict';
  const root = document.documentElement;
  root.classList.add('js');
  // A cell sorts by its raw value when it has one, else as it reads.
  const value = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return '';
    const raw = cell.dataset.v ?? cell.textContent.trim().replace(/\u2212/g, '-').replace(/,/g, '');
    const number = parseFloat(raw);
    return isNaN(number) ? raw : number;
  };
  const compare = (x, y, up) => {
    const missing = v => v === '' || v === '\u2013';
    if (missing(x) || missing(y)) return missing(x) - missing(y);   // what is missing stays last
    if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
    const order = typeof x === 'number' ? x - y : x.localeCompare(y);
    return up ? order : -order;
  };
  const sort = (table, th, column) => {
    const up = th.getAttribute('aria-sort') === 'descending';
    for (const other of table.querySelectorAll('th[aria-sort]')) other.setAttribute('aria-sort', 'none');
    th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    for (const body of table.tBodies) {
      if (body.classList.contains('unranked')) continue;
      const rows = [...body.rows].filter(row => !row.matches('.gh,.quiet'));
      const last = [...body.rows].filter(row => row.matches('.quiet'));
      rows.sort((a, b) => compare(value(a, column), value(b, column), up));
      body.append(...rows, ...last);
    }
  };
  for (const table of document.querySelectorAll('table.sorts')) {
    [...table.tHead.rows[0].cells].forEach((th, column) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', className: 'sort' });
      const axis = th.querySelector('.cellbar');
      button.append(...[...th.childNodes].filter(node => node !== axis));
      th.prepend(button);
      th.setAttribute('aria-sort', th.dataset.sorted || 'none');
      button.addEventListener('click', () => sort(table, th, column));
    });
  }
  // Radio buttons and :has() highlight without script; here a click on a mark chooses its row, Escape clears.
  const choose = id => { const radio = document.getElementById(id) || document.querySelector('.hl input'); if (radio) radio.checked = true; };
  document.addEventListener('click', event => {
    const mark = event.target.closest('svg.chart .mk');
    const row = mark && [...mark.classList].find(name => name.startsWith('m-'));
    if (row) choose('hl-' + row.slice(2));
  });
  document.addEventListener('keydown', event => { if (event.key === 'Escape') choose(''); });
  for (const pre of document.querySelectorAll('pre.cmd')) {
    if (!navigator.clipboard) break;
    const button = Object.assign(document.createElement('button'), { type: 'button', className: 'copy', textContent: 'Copy' });
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(pre.querySelector('code').textContent);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
    pre.append(button);
  }
})();
