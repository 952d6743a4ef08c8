/** QEMU of every Debian release, asked again for a share of the committed table; see work.ts for more than a share. */
import { askingTests } from './asking.js';
import { QEMU } from './judges.js';
import { Qemu } from './qemu-ask.js';
import { judgesOf } from './roots.js';

askingTests(QEMU, judgesOf('qemu-system-x86_64'), (judge) => new Qemu(judge));
