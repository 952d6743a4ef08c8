/** A record of Xen's that claims more than its segment has: the hint of each command that has to copy it works as printed. */
import { afterAll, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';
import { cstr, elf, hexToBytes, noteBytes, type TestNote } from '../support/elf-builder.js';
import { shellIn } from '../support/shell.js';

const CLASSES = [
  { bits: 32, endian: 'little' },
  { bits: 64, endian: 'little' },
] as const;
const folder = workFolder();
const shell = shellIn(folder.path);
afterAll(() => folder.remove());

/** The last record, how many of its bytes the segment lacks, and the edit that mends it. */
const RECORDS: readonly (readonly [string, TestNote, number, string])[] = [
  ['PAE_MODE as in grub-i386-xen', { type: 9, desc: cstr('yes\0\0\0\0\0\0\0\0') }, 8, '--set PAE_MODE=yes'],
  ['a text that a shell would split', { type: 6, desc: cstr('a b$c\0\0\0\0\0\0') }, 4, "--set 'GUEST_OS=a b$c'"],
  ['a number', { type: 18, desc: hexToBytes('0000100000000000') }, 4, '--set PHYS32_ENTRY=0x100000'],
  ['a type nobody knows', { type: 99, desc: Buffer.alloc(16, 1) }, 4, '--unset 0x63'],
];

const COMMANDS = [
  [
    'patch image -o out --set LOADER=generic',
    (edit: string) => `xen-elfpatch patch image -o out --set LOADER=generic ${edit}`,
  ],
  [
    'stamp image -o out --note V:1=x',
    (edit: string) => `xen-elfpatch patch image --in-place ${edit} && xen-elfpatch stamp image -o out --note V:1=x`,
  ],
] as const;

for (const encoding of CLASSES) {
  // Both classes take the same way; one row of the smaller is enough.
  describe.each(encoding.bits === 32 ? RECORDS.slice(0, 1) : RECORDS)('%s', (_, note, lacks, edit) => {
    const notes = noteBytes([{ type: 5, desc: cstr('xen-3.0') }, note], encoding);
    const image = elf(encoding)
      .load(0x100000n, new Uint8Array(64).fill(0x90))
      .with({ slack: 0x400, trailing: new Uint8Array(16) })
      .noteSegment(notes.subarray(0, notes.length - lacks))
      .build();

    it.each(COMMANDS)('%s names the edit that works', (command, mended) => {
      folder.write('image', image);
      const refused = shell(`xen-elfpatch ${command}`);
      expect(refused.stderr).toContain('[plan.unreadable-note]');
      const hint = command.startsWith('patch')
        ? `  hint: Add ${edit} to the edit: the damaged note itself\n`
        : `  hint: First fix the damaged note: patch ${edit}\n`;
      expect(refused.stderr).toContain(hint);
      expect(shell(mended(edit))).toMatchObject({ status: 0 });
      expect(shell('xen-elfpatch stamp out -o again --note V:2=y').status).toBe(0);
    });
  });

  it(`promises nothing where what is damaged is no note of Xen’s (${encoding.bits} bits)`, () => {
    const notes = noteBytes(
      [
        { type: 5, desc: cstr('xen-3.0') },
        { name: 'V', type: 1, desc: hexToBytes('0102030405060708') },
      ],
      encoding,
    );
    const image = elf(encoding)
      .load(0x100000n, new Uint8Array(64).fill(0x90))
      .noteSegment(notes.subarray(0, notes.length - 4))
      .build();
    folder.write('image', image);
    for (const [command] of COMMANDS) {
      const { stderr } = shell(`xen-elfpatch ${command}`);
      expect(stderr).toContain('[plan.unreadable-note]');
      expect(stderr).toContain('hint: Fix it where the image is built');
    }
  });
}
