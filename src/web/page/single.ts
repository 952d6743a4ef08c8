/** The page of `layout --html`: its data stands in it, as text that nothing runs. */
import type { PageData } from '../work/page-data.js';
import { byId, openForPrint } from './dom.js';
import { pageSections } from './image.js';

const data: PageData = JSON.parse(byId('data').textContent ?? '');
byId('main').replaceChildren(...pageSections(data));

openForPrint();
