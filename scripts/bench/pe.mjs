// `stamp` and `linearize` of a xen.efi of 25 MB and more against cp and sync. What the command takes for the small fixture, where
// nothing but its start-up counts, is taken off each time: the ratio is that of the work.
//   node scripts/bench/pe.mjs [--quick]
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE } from '../images/cache.mjs';
import { median, printPeak, timed } from './measure.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(root, 'bin/xen-elfpatch.js');
const small = join(root, 'fixtures/bin/dual.efi');
const large = join(CACHE, 'images/xen-efi-4.20');
const runs = process.argv.includes('--quick') ? 5 : 15;

if (!existsSync(large)) console.log("stamp and linearize: not measured, Debian's xen.efi 4.20 was not to be had");
else {
  const folder = mkdtempSync(join(tmpdir(), 'bench-pe-'));
  const out = join(folder, 'out');
  const copied = ['sh', '-c', 'cp "$1" "$2" && sync "$2"', 'sh', large, out];
  const fresh = (words) => {
    rmSync(out, { force: true });
    return timed(words);
  };
  const WORK = {
    'linearize --keep-reloc': ['linearize', '--keep-reloc'],
    'stamp --sbat': ['stamp', '--sbat', 'xen,1,Xen,xen,4.20,https://xenproject.org', '--package-metadata', 'name=xen'],
  };
  try {
    for (const [name, [verb, ...options]] of Object.entries(WORK)) {
      const ours = (image) => [process.execPath, command, verb, image, '-o', out, ...options];
      for (const words of [ours(large), ours(small), copied]) fresh(words);
      const [ratios, works, copies] = [[], [], []];
      for (let run = 0; run < runs; run++) {
        const work = fresh(ours(large)) - fresh(ours(small));
        const copy = fresh(copied);
        works.push(work);
        copies.push(copy);
        ratios.push(work / copy);
      }
      const size = Math.round(statSync(large).size / 1e6);
      const title = `${name} of a xen.efi of ${size} MB / cp and sync`;
      const times = `${median(works).toFixed(0)} ms over ${median(copies).toFixed(0)} ms, ${runs} times`;
      console.log(`${title.padEnd(58)} ${median(ratios).toFixed(2)}   ${times}   (target <= 1.3, start-up apart)`);
      rmSync(out, { force: true });
      printPeak(name, ours(large).slice(1), '<= 20');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
