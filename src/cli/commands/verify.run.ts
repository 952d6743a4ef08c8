/** `verify IMAGE`: the laws, the comparison with a baseline, and the second reader's opinion. */
import { readElf } from '../../elf/read.js';
import { styleOf } from '../../report/text.js';
import { isSound, type VerifyFacts, verifyDocument, verifyText } from '../../report/verify-report.js';
import { secondReader } from '../../verify/second-reader.js';
import { verifyImage } from '../../verify/verify.js';
import type { ExitStatus } from '../command.js';
import { type OpenImage, openImage } from '../input.js';
import { wantsColor, writeOut } from '../output.js';
import { startProgress } from '../progress.js';
import type { VerifyArgs } from './verify.js';

/** Exit 1 when a law is broken, the baseline differs where it may not, or the second reader reads something else. */
export async function runVerify(args: VerifyArgs): Promise<ExitStatus> {
  const input = await openImage(args.image);
  try {
    const baseline = args.baseline === undefined ? undefined : await openImage(args.baseline);
    try {
      const facts = await judge(input, baseline);
      writeOut(args.json ? verifyDocument(facts) : verifyText(facts, styleOf(wantsColor(args.color))));
      return isSound(facts) ? 0 : 1;
    } finally {
      baseline?.close();
    }
  } finally {
    input.close();
  }
}

async function judge(input: OpenImage, original: OpenImage | undefined): Promise<VerifyFacts> {
  const image = readElf(input.source);
  const baseline = original === undefined ? undefined : readElf(original.source);
  const progress = startProgress('comparing');
  try {
    const findings = verifyImage({ image, baseline, onProgress: progress.report });
    return {
      file: input.file,
      container: input.container,
      baseline: original?.file,
      findings,
      secondReader: await secondReader(image),
    };
  } finally {
    progress.end();
  }
}
