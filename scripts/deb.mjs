// A Debian package of the command: node scripts/deb.mjs [--standalone] [FOLDER], dist/deb unless given. Needs what `make man`
// builds, and dpkg-deb. Commands, man pages, completions for three shells, the rules for make, CMake and Meson where these tools
// look. --standalone: the program that `make binary` built in place of what runs on nodejs, for releases whose nodejs is too old.
// The same commit gives the same bytes: times are the commit's, or SOURCE_DATE_EPOCH's.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { commitTime } from './commit.mjs';

const words = process.argv.slice(2);
const [folder = 'dist/deb'] = words.filter((word) => word !== '--standalone');
const program = words.includes('--standalone') ? `dist/bin/xen-elfpatch-linux-${process.arch}` : undefined;
if (program !== undefined && !existsSync(program)) {
  console.error(`deb: ${program} is missing: make binary builds it`);
  process.exit(2);
}
const { homepage, man, version } = JSON.parse(readFileSync('package.json', 'utf8'));
const time = commitTime();
// Whoever gives the package away puts a name of their own here, as for any Debian package.
const { DEBFULLNAME = 'xen-elfpatch maintainers', DEBEMAIL = 'xen-elfpatch@example.org' } = process.env;
const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`;
const root = mkdtempSync(join(tmpdir(), 'deb-'));
const HOME = 'usr/share/xen-elfpatch';
const DOC = 'usr/share/doc/xen-elfpatch';

function put(path, contents, mode = 0o644) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
  chmodSync(file, mode);
}

function copy(from, to) {
  const stats = statSync(from);
  if (!stats.isDirectory()) return put(to, readFileSync(from), stats.mode & 0o111 ? 0o755 : 0o644);
  for (const name of readdirSync(from)) copy(join(from, name), join(to, name));
}

function link(path, target) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(relative(dirname(path), target), join(root, path));
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ended with ${result.status}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

// gzip as gzip -9n writes it: no name, no time.
const packed = (bytes) => gzipSync(bytes, { level: 9 });

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
/** What differs where the program is in the package. Its glibc is the oldest that has all that bun's own build names. */
const { architecture, depends, note } =
  program === undefined
    ? { architecture: 'all', depends: 'nodejs (>= 20.19)', note: '' }
    : {
        architecture: ARCHITECTURES[process.arch],
        depends: 'libc6 (>= 2.17)',
        note: ' .\n This package has the command as one program, which needs no Node; it starts\n where /proc is mounted.\n',
      };

if (program === undefined) withNode();
else withProgram(program);

/** The command. Compiled code belongs to one Node and one machine, and each user's first run makes it. */
function withNode() {
  for (const name of readdirSync('bin')) copy(join('bin', name), join(HOME, 'bin', name));
  for (const name of ['xen-elfpatch.js', 'xen-mkelf32.js']) chmodSync(join(root, HOME, 'bin', name), 0o755);
  for (const name of readdirSync('dist/cli')) {
    if (name !== 'code') copy(join('dist/cli', name), join(HOME, 'dist/cli', name));
  }
  link('usr/bin/xen-elfpatch', join(HOME, 'bin/xen-elfpatch.js'));
  link('usr/bin/xen-mkelf32', join(HOME, 'bin/xen-mkelf32.js'));
}

/** The program, which is xen-mkelf32 by the name of a link. */
function withProgram(path) {
  copy(path, 'usr/bin/xen-elfpatch');
  link('usr/bin/xen-mkelf32', 'usr/bin/xen-elfpatch');
  // strip would take off what the program consists of, and what bun is linked with comes out of bun's build.
  put(
    'usr/share/lintian/overrides/xen-elfpatch',
    `# What bun compiles stands behind the ELF and in it: stripped, it is bun and no longer this command.
xen-elfpatch: unstripped-binary-or-object *
# bun's own build decides how bun is linked, and with which libraries.
xen-elfpatch: embedded-library *
xen-elfpatch: hardening-no-pie *
xen-elfpatch: hardening-no-relro *
`,
  );
}
copy('schema', join(HOME, 'schema'));

for (const page of man) {
  const section = page.slice(-1);
  put(`usr/share/man/man${section}/${page.split('/').at(-1)}.gz`, packed(readFileSync(page)));
}

const completion = (shell) => run(process.execPath, ['bin/xen-elfpatch.js', 'completion', shell]);
put('usr/share/bash-completion/completions/xen-elfpatch', completion('bash'));
put('usr/share/zsh/vendor-completions/_xen-elfpatch', completion('zsh'));
put('usr/share/fish/vendor_completions.d/xen-elfpatch.fish', completion('fish'));

// GNU make looks into /usr/include for what an `include` names; CMake below /usr/share/cmake. Meson looks nowhere.
copy('scripts/xen-elfpatch.mk', join(HOME, 'xen-elfpatch.mk'));
link('usr/include/xen-elfpatch.mk', join(HOME, 'xen-elfpatch.mk'));
copy('share/cmake', 'usr/share/cmake');
copy('share/meson', join(HOME, 'meson'));

for (const name of ['README.md', 'docs', 'examples']) copy(name, join(DOC, name));
for (const name of ['CHANGELOG.md']) put(join(DOC, `${name}.gz`), packed(readFileSync(name)));
const dated = run('date', ['-uRd', `@${time}`], { env: { ...process.env, LC_ALL: 'C' } }).trim();
const entry = `xen-elfpatch (${version}) unstable; urgency=medium\n\n  * CHANGELOG.md tells what is different.\n\n -- ${maintainer}  ${dated}\n`;
put(join(DOC, 'changelog.gz'), packed(entry));
put(
  join(DOC, 'copyright'),
  `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n${copyright()}`,
);

/** The licence in the form of copyright files: MIT is called Expat there. */
function copyright() {
  const text = readFileSync('LICENSE', 'utf8').trim();
  const holder = /^Copyright (.*)$/m.exec(text)?.[1] ?? 'the authors of xen-elfpatch';
  const body = text.slice(text.indexOf('Permission is hereby'));
  const lines = body.split('\n').map((line) => (line === '' ? ' .' : ` ${line}`));
  return `Copyright: ${holder}\nLicense: Expat\n${lines.join('\n')}\n`;
}

function* filesBelow(path) {
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = join(path, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file);
    else if (entry.isFile()) yield file;
  }
}

const files = [...filesBelow(join(root, 'usr'))];
const sums = files.map(
  (file) => `${createHash('md5').update(readFileSync(file)).digest('hex')}  ${relative(root, file)}\n`,
);
const size = Math.ceil(files.reduce((sum, file) => sum + statSync(file).size, 0) / 1024);
put('DEBIAN/md5sums', sums.join(''));
put(
  'DEBIAN/control',
  `Package: xen-elfpatch
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: ${depends}
Suggests: lzop, xz-utils, zstd
Section: devel
Priority: optional
${homepage === undefined ? '' : `Homepage: ${homepage}\n`}Description: give a linked ELF kernel the right Xen notes
 A kernel that is to start under Xen, or as a PVH guest of QEMU, Firecracker or
 Cloud Hypervisor, carries a few ELF notes that say where to enter it. This
 command writes them into a linked image, judges which loaders take it, and
 wraps the hypervisor itself as its build does (xen-mkelf32).
${note}`,
);

// Folders and links too; what came later than the commit is as old as it.
function settle(path) {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) settle(join(path, entry.name));
  chmodSync(path, 0o755);
  utimesSync(path, time, time);
}
settle(root);
mkdirSync(folder, { recursive: true });
const output = join(folder, `xen-elfpatch_${version}_${architecture}.deb`);
run('dpkg-deb', ['--root-owner-group', '--build', root, output], {
  env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
});
rmSync(root, { recursive: true });
process.stdout.write(`${output}\n`);
