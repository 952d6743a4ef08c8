/** `verify IMAGE`: the shape of its arguments. */
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';

/** What the work is given. */
export interface VerifyArgs {
  readonly image: string;
  /** The image before it was patched; undefined for the structural checks alone. */
  readonly baseline: string | undefined;
  readonly json: boolean;
  readonly color: ColorMode;
}

interface Options {
  readonly baseline: string | undefined;
  readonly json: boolean | undefined;
  readonly color: ColorMode;
}

export const verifyShape: Shape<Options, VerifyArgs> = {
  name: 'verify',
  synopsis: 'IMAGE [--baseline ORIGINAL]',
  summary: 'check the structure of an image, and what an edit changed',
  about:
    'Checks an image against the laws of the ELF format that loaders and tools rely on, reads it with a second, ' +
    'independent reader, and with --baseline proves that nothing but notes and headers differs from ORIGINAL. ' +
    'Exit 1 if a law is broken. IMAGE - is standard input.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  repeatable: [],
  examples: [
    ['xen-elfpatch verify vmlinux', 'is it a sound image?'],
    ['xen-elfpatch verify out --baseline vmlinux', 'what did the patch change?'],
    ['xen-elfpatch verify --json vmlinux', 'findings for a program'],
  ],
  options: (cli) =>
    cli
      .option('baseline', { type: 'string', requiresArg: true, describe: 'the image before it was patched' })
      .option('json', { type: 'boolean', describe: 'one JSON document instead of text' })
      .option('color', COLOR_OPTION),
  args: ({ baseline, json, color }, [image = '']) => ({ image, baseline, json: json === true, color }),
};
