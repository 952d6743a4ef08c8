/** `diff`: reads two images and tells what differs. */

import type { ByteSource } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { isPlainPe } from '../../formats/pe/kind.js';
import { readPe } from '../../formats/pe/read.js';
import { diffImages } from '../../inspect/diff/diff.js';
import { diffPe } from '../../inspect/diff/pe-diff.js';
import { diffJson, diffText } from '../../report/diff-report.js';
import { jsonDocument } from '../../report/json.js';
import { peDiffJson, peDiffText } from '../../report/pe-diff-report.js';
import { styleOf } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { type OpenImage, openImage } from '../input.js';
import { wantsColor, writeOut } from '../output.js';
import { startProgress } from '../progress.js';
import { tell } from '../told.js';
import type { DiffArgs } from './diff.js';

/** Runs the command. Exit 1: they differ. */
export async function runDiff(args: DiffArgs): Promise<ExitStatus> {
  const first = await openImage(args.first, takenAsItStands, args.limit);
  try {
    const second = await openImage(args.second, takenAsItStands, args.limit);
    try {
      const kinds = [first, second].map(({ source }) => looksLikeElf(source));
      if (kinds[0] !== kinds[1]) {
        const [pe, elf] = kinds[0] === true ? [second.file, first.file] : [first.file, second.file];
        const what = `${pe} is a PE image and ${elf} is ELF: they have nothing to be compared by`;
        fail('usage.bad', {}, { what, hint: 'Give two ELF images, or two PE images like xen.efi' });
      }
      if (kinds[0] === false) return diffPeImages(args, first, second);
      const [a, b] = [readElf(first.source), readElf(second.source)];
      const progress = startProgress('comparing');
      const difference = diffImages(a, b, progress.report);
      progress.end();
      tell({ word: difference.same ? 'same' : 'differs' });
      if (args.json) writeOut(jsonDocument('diff', diffJson(a, b, difference)));
      else writeOut(diffText(a, b, difference, styleOf(wantsColor(args.color))));
      return difference.same ? 0 : 1;
    } finally {
      second.close();
    }
  } finally {
    first.close();
  }
}

function takenAsItStands(source: ByteSource): boolean {
  return looksLikeElf(source) || isPlainPe(source);
}

function diffPeImages(args: DiffArgs, first: OpenImage, second: OpenImage): ExitStatus {
  const names = [first.file, second.file] as const;
  const difference = diffPe(readPe(first.source), readPe(second.source));
  tell({ word: difference.same ? 'same' : 'differs' });
  if (args.json) writeOut(jsonDocument('diff', peDiffJson(names, difference)));
  else writeOut(peDiffText(names, difference, styleOf(wantsColor(args.color))));
  return difference.same ? 0 : 1;
}
