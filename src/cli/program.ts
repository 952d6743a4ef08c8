/** Where the stand-alone program begins: the command, or by the name of a link to it xen-mkelf32. */
import { basename } from 'node:path';

// Not awaited: the bundle is CommonJS, and each command reports its own failures.
if (basename(process.argv0).startsWith('xen-mkelf32')) void import('./xen-mkelf32.js');
else void import('./main.js');
