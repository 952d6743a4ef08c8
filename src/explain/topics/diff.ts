import { code, heading, list, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain diff`: how two images are compared and how to read the answer. */
export const diff: Page = {
  name: 'diff',
  title: 'Diff: what differs between two images, in words',
  blocks: [
    text`diff A B compares every byte and tells of each difference what it belongs to. Exit 0: the same, byte for byte. Exit 1:
      they differ. Exit 2: one of them could not be read. Kernels inside gzip files and bzImages are unpacked first.`,
    heading('How things are matched'),
    list(
      'Notes by owner and type, wherever they stand: gone (-), new (+), changed (~), the same in another place (>).',
      'Program headers by what they are, so that an inserted one is one insertion and not a difference of all behind it.',
      'Sections by name, header fields by name, each field with what it is for.',
      'Bytes at the same offset; behind an insertion that moved everything, at the offset they moved to.',
    ),
    heading('The first line'),
    text`It says whether anything but notes and headers differs, by the laws that verify --baseline goes by: the same bytes in
      memory but for notes, the same sections, symbols and entry.`,
    code`
      $ xen-elfpatch diff vmlinux vmlinux.pvh
      $ xen-elfpatch diff --json build1/kernel build2/kernel`,
    text`With --json the byte ranges are listed one by one (the first thousand) and summed up by the part of the file they lie
      in. For a picture of the same: layout A --compare B --svg FILE.`,
  ],
};
