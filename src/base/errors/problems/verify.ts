import { problem } from '../problem.js';

/** Refusals of the verify stage. */
export const verifyProblems = {
  'verify.failed': problem<{ check: string; text: string; more: number }>({
    exit: 1,
    text: (c) => `the result breaks ${c.check}: ${c.text}${c.more > 0 ? ` (and ${c.more} more findings)` : ''}`,
    hint: 'The target was not touched; please report this with the image',
    meaning:
      'Every result is read back and judged before it takes the place of the target. A law of the format does not hold, ' +
      'or something changed that was not meant to.',
  }),
  'verify.second-reader': problem<{ details: string }>({
    exit: 1,
    text: (c) => `the second reader (elfy) sees something else: ${c.details}`,
    hint: 'The target was not touched; please report this with the image',
    meaning:
      'An ELF reader that shares no code with this tool reads the result too, and must come to the same headers and notes.',
  }),
} as const;
