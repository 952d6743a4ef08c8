import { problem } from '../problem.js';

/** Refusals of the command line itself, and the one problem that is never the user's. */
export const usageProblems = {
  'usage.bad': problem<{ what: string; hint?: string }>({
    exit: 2,
    text: (c) => c.what,
    hint: (c) => c.hint ?? 'xen-elfpatch --help lists the commands; --help behind the name of one lists its options',
    meaning: 'The words on the command line do not make a command.',
  }),
  'config.bad': problem<{ what: string; hint?: string | undefined }>({
    exit: 2,
    text: (c) => c.what,
    hint: (c) => c.hint ?? 'schema/config.schema.json describes the file; --print-config shows what is read of it',
    meaning:
      'The file that --config names is no mapping of settings that are known, each with words or names and words that its ' +
      'option takes. The line and the key are named; nothing was done.',
  }),
  'record.bad': problem<{ what: string }>({
    exit: 2,
    text: (c) => c.what,
    hint: 'patch, fix, stamp, linearize and mkelf32 write records: --record FILE',
    meaning: 'The file that --check-record names is no record of this command, or lacks what the question needs.',
  }),
  'internal.bug': problem<{ message: string }>({
    exit: 2,
    text: (c) => `unexpected error: ${c.message.split('\n')[0]}`,
    hint: 'this is a bug in xen-elfpatch; XEN_ELFPATCH_DEBUG=1 shows where, please report it with the input',
    meaning:
      'The program met a state that it does not expect. No input, however damaged, should lead here; if one does, ' +
      'the mistake is in xen-elfpatch. Nothing was written.',
  }),
} as const;
