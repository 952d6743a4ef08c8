/** GRUB of every Debian release, asked again for a share of the committed table; see work.ts for more than a share. */
import { askingTests } from './asking.js';
import { Grub } from './grub-ask.js';
import { GRUB } from './judges.js';
import { judgesOf } from './roots.js';

askingTests(GRUB, judgesOf('grub-mkimage'), (judge) => new Grub(judge));
