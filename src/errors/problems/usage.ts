import { problem } from '../problem.js';

/** Refusals of the command line itself. */
export const usageProblems = {
  'usage.bad': problem<{ what: string; hint?: string }>({
    exit: 2,
    text: (c) => c.what,
    hint: (c) => c.hint ?? 'xen-elfpatch --help lists the commands, xen-elfpatch COMMAND --help their options',
    meaning: 'The words on the command line do not make a command.',
  }),
} as const;
