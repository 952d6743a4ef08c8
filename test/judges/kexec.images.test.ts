/** kexec-tools of every Debian release, asked again for a share of the committed table; see work.ts for more than a share. */
import { askingTests } from './asking.js';
import { KEXEC } from './judges.js';
import { KexecTools } from './kexec-ask.js';
import { judgesOf } from './roots.js';

askingTests(KEXEC, judgesOf('kexec'), (judge) => new KexecTools(judge));
