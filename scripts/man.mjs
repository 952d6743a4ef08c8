// The man page from what --help prints, so that the two cannot differ: node scripts/man.mjs [FILE], dist/man/xen-elfpatch.1
// unless given. Needs the built command.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const [file = 'dist/man/xen-elfpatch.1'] = process.argv.slice(2);

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const help = (...args) =>
  execFileSync(process.execPath, ['bin/xen-elfpatch.js', ...args, '--help'], {
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '78' },
  });

const overview = help();
const commands = [...overview.matchAll(/^ {2}xen-elfpatch (\S+)/gm)].map(([, name]) => name);
// The list of commands comes before the examples, which name some of them again.
const names = [...new Set(commands)];

// A line that begins with . or ' would be a request; a backslash or a minus sign something else than itself.
const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
const block = (text) => `.nf\n${roff(text.trimEnd())}\n.fi\n`;

const page = [
  `.TH XEN\\-ELFPATCH 1 "" "xen\\-elfpatch ${roff(version)}" "User Commands"`,
  '.SH NAME',
  'xen\\-elfpatch \\- give a linked ELF kernel the right Xen notes',
  '.SH SYNOPSIS',
  block(overview),
  ...names.flatMap((name) => [`.SH ${roff(name.toUpperCase())}`, block(help(name))]),
  '.SH EXIT STATUS',
  block(
    '0  done, or the answer is yes\n1  the answer is no: a check failed, images differ, --check found work to do\n2  it could not be done: bad usage, malformed input, refused edit, I/O error',
  ),
  '.SH SEE ALSO',
  'readelf(1), objcopy(1), xl.cfg(5)',
  '',
].join('\n');
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, page.replace(/\n{2,}/g, '\n.sp\n'));
