// Programs of another Debian release, unpacked with the libraries that they need into a folder of the cache, to be started from
// there by that release's own dynamic loader: nothing is installed.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, record } from './cache.mjs';
import { run, say } from './run.mjs';

/** What a program that is only started needs of its dependencies: no accounts, no services, no country codes. */
const NEEDED = /^(lib|seabios$|qemu-system-(data|common)$|grub2-common$)/;
const USELESS =
  /^(libc-gconv|libasound2-data|libsystemd-shared|libaudit-common|libsemanage-common|libdrm-common|libsasl2-modules)/;

const EXCLUDED = [
  ...['doc', 'man', 'locale', 'lintian', 'i18n', 'bash-completion', 'icons', 'applications'].map(
    (name) => `./usr/share/${name}`,
  ),
  ...['./usr/lib/x86_64-linux-gnu/gconv', './var', './etc'],
];

/** Unpacks one root of the catalogue; `work` is a folder for what is only needed meanwhile. */
export function fetchRoot({ name, set, arch, root, programs }, apt, work) {
  const closure = root.alone ? root.packages : apt.closure(root.packages);
  const wanted = closure.filter((each) => root.packages.includes(each) || (NEEDED.test(each) && !USELESS.test(each)));
  say(
    `downloading ${root.packages.join(', ')} of ${root.release}, and ${wanted.length - root.packages.length} libraries`,
  );
  const tree = mkdtempSync(join(work, 'tree-'));
  const versions = {};
  const excludes = EXCLUDED.map((path) => `--exclude=${path}`);
  for (const deb of apt.downloadAll(wanted, work)) {
    const [package_, version] = `${run('dpkg-deb', ['-f', deb, 'Package', 'Version'])}`
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\w+: /, ''));
    if (root.packages.includes(package_)) versions[package_] = version;
    const pipe = 'deb=$1 tree=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tree" --no-same-owner "$@"';
    run('sh', ['-c', pipe, 'sh', deb, tree, ...excludes]);
    rmSync(deb);
  }
  const there = readdirSync(tree, { recursive: true }).map((path) => `/${path}`);
  const lost = programs.filter((program) => !there.some((path) => path.endsWith(`bin/${program}`)));
  if (lost.length > 0) throw new Error(`${name}: no ${lost.join(', ')} in what was unpacked`);
  const path = join('roots', name);
  mkdirSync(join(CACHE, 'roots'), { recursive: true });
  rmSync(join(CACHE, path), { recursive: true, force: true });
  renameSync(tree, join(CACHE, path));
  record('roots', { name, set, path, architecture: arch, release: root.release, versions });
}
