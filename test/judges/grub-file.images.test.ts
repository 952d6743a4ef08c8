/** grub-file of every Debian release, asked again for a share of the committed table; see work.ts for more than a share. */
import { askingTests } from './asking.js';
import { GrubFile } from './grub-file-ask.js';
import { GRUB_FILE } from './judges.js';
import { judgesOf } from './roots.js';

askingTests(GRUB_FILE, judgesOf('grub-mkimage'), (judge) => new GrubFile(judge));
