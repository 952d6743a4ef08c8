/** Xen of every series that could be had, asked again for a share of the committed table; see work.ts for more than a share. */
import { askingTests } from './asking.js';
import { XEN_DOM0 } from './judges.js';
import { XenDom0, xenJudges } from './xen-ask.js';

askingTests(XEN_DOM0, xenJudges(), (judge) => new XenDom0(judge));
