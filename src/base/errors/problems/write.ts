import { problem } from '../problem.js';

/** Refusals while writing the result. */
export const writeProblems = {
  'write.failed': problem<{ action: string; reason: string }>({
    exit: 2,
    text: (c) => `cannot ${c.action}: ${c.reason}`,
    hint: 'Nothing was changed; the old file is as it was',
    meaning:
      'The operating system refused a file operation on the output: no such folder, permission denied, no space left, a ' +
      'read-only file system. The temporary file is removed and the target is not touched.',
  }),
  'write.not-restored': problem<{ reason: string }>({
    exit: 2,
    text: (c) => `writing failed, and what was written could not be taken back: ${c.reason}`,
    hint: 'Look at the disk, then at the file: verify tells whether it is whole',
    meaning:
      'The disk failed while a file was patched where it is, and failed again when the old bytes were put back. Up to the ' +
      'last small write the old image is whole, with new bytes behind its end; after it the new one is.',
  }),
  'write.same-file': problem<{ input: string }>({
    exit: 2,
    text: (c) => `the output is the input (${c.input})`,
    hint: 'Give --in-place to change the input itself',
    meaning:
      'Input and output name the same file, by path, link or inode. Overwriting the only copy has to be asked for.',
  }),
  'write.not-a-file': problem<{ kind: string }>({
    exit: 2,
    text: (c) => `found a ${c.kind}, wanted a regular file or a new name`,
    meaning:
      'An image takes the place of its target when it was read back and proved; a folder, pipe, socket or device is never ' +
      'replaced, and cannot be read back.',
  }),
  'write.read-only': problem<Record<never, never>>({
    exit: 2,
    text: () => 'the file is read-only',
    hint: 'Make it writable (chmod u+w), or write a new file with -o',
    meaning: 'The file has no write permission for any user: it was meant to stay as it is.',
  }),
  'write.warned': problem<{ count: number; first: string }>({
    exit: 1,
    text: (c) => `${c.count === 1 ? 'a warning' : `${c.count} warnings`}, and --strict counts them as no: ${c.first}`,
    hint: 'Without --strict the result is written, and the warnings are printed',
    meaning:
      'The result would be written, with warnings. --strict was given, so the answer is no: nothing was written, and the ' +
      'target is as it was.',
  }),
  'write.not-told': problem<{ output: string; reason: string }>({
    exit: 3,
    text: (c) => `${c.output} is written and right, but the report could not be: ${c.reason}`,
    hint: 'Nothing has to be done again; verify and notes tell what is in the file',
    meaning:
      'The result was written and proved, and has its name. Then standard output took no report: its disk is full, or the ' +
      'program that was to read it has ended.',
  }),
  'write.locked': problem<{ pid: number; elsewhere?: boolean }>({
    exit: 2,
    text: (c) =>
      `another xen-elfpatch (process ${c.pid}${c.elsewhere === true ? ' of another container or machine' : ''}) is patching this file`,
    hint: (c) =>
      c.elsewhere === true
        ? 'Wait for it; the lock of one that was killed there counts for ten minutes'
        : 'Wait for it, or end it; the lock goes with the process',
    meaning:
      'Two edits in place at the same time would mix. The second one gives way. A process of another container or machine ' +
      'that shares the folder cannot be looked at, so its lock counts for ten minutes even if it is gone.',
  }),
} as const;
