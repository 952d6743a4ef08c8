// Kernels inside bzImages: reading and attaching against the host's own programs, as extract-vmlinux does it. Peak memory too.
// Run by all.mjs, or alone. Takes Debian's kernels from the image cache; one that is not there is named and left out.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE } from '../images/cache.mjs';
import { compare, printPeak } from './measure.mjs';

const command = fileURLToPath(new URL('../../bin/xen-elfpatch.js', import.meta.url));
const patcher = (...args) => [process.execPath, command, ...args];
const quick = process.argv.includes('--quick');
const KERNELS = [
  ['vmlinuz', 'xz -dc'],
  ['vmlinuz-cloud', 'lz4 -dcq'],
  ['vmlinuz-6.12-cloud', 'zstd -dcq'],
];

/** Where the packed stream stands, for tail and head: by the setup header, the size word left out. */
function stream(path) {
  const image = readFileSync(path);
  const start = (image[0x1f1] + 1) * 512 + image.readUInt32LE(0x248);
  const length = image.readUInt32LE(0x24c) - 4;
  return { start, length, unpacked: image.readUInt32LE(start + length) };
}

const folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-bench-'));
try {
  for (const [name, unpack] of KERNELS) {
    const image = join(CACHE, 'images', name);
    if (!existsSync(image)) {
      console.log(`containers: no ${image}; make images fetches it`);
      continue;
    }
    const { start, length, unpacked } = stream(image);
    const out = join(folder, 'out');
    const packed = `tail -c +${start + 1} "$1" | head -c ${length} | ${unpack}`;
    const sh = (script) => ['sh', '-c', script, 'sh', image, out];
    const size = `${name}, ${(unpacked / 1e6).toFixed(0)} MB unpacked`;
    const before = () => rmSync(out, { force: true });
    const runs = quick ? 3 : 5;
    const read = patcher('notes', image);
    compare(`notes on ${size} / unpack and readelf`, read, sh(`${packed} > "$2" && readelf -n "$2"`), {
      runs,
      before,
      target: '<= 1.2',
    });
    printPeak(`notes on ${size}`, read.slice(1), `<= ${((1.5 * unpacked) / 2 ** 20).toFixed(0)}`);
    const edit = ['--strip-signature', '--set', 'GUEST_VERSION=2.7'];
    const attach = patcher('patch', image, '-o', out, ...edit);
    compare(`attach to ${size}, verified / unpack, gzip -9`, attach, sh(`${packed} | gzip -n -9 > "$2"`), {
      runs,
      before,
      target: '<= 0.6',
    });
    before();
    printPeak(`attach to ${size}`, attach.slice(1), `<= ${((1.5 * unpacked) / 2 ** 20).toFixed(0)}`);
    before();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
