/** `diff`: reads two images and tells what differs. */
import { diffImages } from '../../diff/diff.js';
import { readElf } from '../../elf/read.js';
import { diffJson, diffText } from '../../report/diff-report.js';
import { jsonDocument } from '../../report/json.js';
import { styleOf } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { openInput } from '../input.js';
import { wantsColor, writeOut } from '../output.js';
import { startProgress } from '../progress.js';
import type { DiffArgs } from './diff.js';

/** Runs the command. Exit 1: they differ. */
export async function runDiff(args: DiffArgs): Promise<ExitStatus> {
  const first = openInput(args.first);
  try {
    const second = openInput(args.second);
    try {
      const [a, b] = [readElf(first.source), readElf(second.source)];
      const progress = startProgress('comparing');
      const difference = diffImages(a, b, progress.report);
      progress.end();
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
