/** The page of `layout --html`: its data stands in it, as text that nothing runs. */
import type { PageData } from '../work/page-data.js';
import { byId } from './dom.js';
import { pageSections } from './image.js';

const data: PageData = JSON.parse(byId('data').textContent ?? '');
byId('main').replaceChildren(...pageSections(data));

// On paper nothing can be opened.
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});
