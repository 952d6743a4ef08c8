/** The laws of a layout, each broken by one byte. */
import { describe, expect, it } from 'vitest';
import { append } from '../../../../src/edit/elf/placement/append.js';
import { brokenLaw } from '../../../../src/edit/elf/placement/laws.js';
import type { Layout } from '../../../../src/edit/elf/placement/layout.js';
import { inputFor, kernel, perClass, placed } from '../../../support/placing.js';

/** An image of one PT_LOAD, the entry right behind the table; the notes end the file, 8 zeros behind them. */
const CLASSES = perClass({
  32: { table: 52n, tableEnd: 116n, notes: 180n, end: 208n, word: 4n },
  64: { table: 64n, tableEnd: 176n, notes: 240n, end: 268n, word: 8n },
});

describe.each(CLASSES)('brokenLaw, ELF$encoding.bits $encoding.endian', (row) => {
  const { encoding, table, tableEnd, notes, end, word } = row;
  const input = inputFor(kernel(encoding, encoding.bits === 64 ? 56 : 32));
  const { image } = input.analysis;
  const layout = placed(append(input));

  function lawBroken(changed: Partial<Layout>): string | undefined {
    return brokenLaw(image, { ...layout, ...changed });
  }
  const blob = (offset: bigint, size: number) => [{ offset, bytes: new Uint8Array(size), what: 'notes' }];
  const header = (e_phoff: bigint) => ({ ...layout.header, e_phoff });

  it('lets a layout through that obeys them', () => {
    expect(brokenLaw(image, layout)).toBeUndefined();
    expect([layout.header.e_phoff, layout.noteRange?.start, layout.fileSize]).toEqual([table, notes, end]);
  });

  it.each<[string, Partial<Layout>, string | undefined]>([
    ['notes to the last byte of the file', { blobs: blob(end - 20n, 20) }, undefined],
    ['notes one byte beyond it', { blobs: blob(end - 20n, 21) }, 'notes ends behind the file'],
    ['notes right behind the table', { blobs: blob(tableEnd, 20) }, undefined],
    [
      'notes in the last byte of the table',
      { blobs: blob(tableEnd - 1n, 20) },
      'program header table and notes overlap',
    ],
    ['notes in the last byte of the ELF header', { blobs: blob(table - 1n, 1) }, 'ELF header and notes overlap'],
    ['nothing in the ELF header', { blobs: blob(table - 1n, 0) }, undefined],
    ['two parts side by side', { blobs: [...blob(notes, 20), ...blob(notes + 20n, 8)] }, undefined],
    [
      'two parts that share a byte',
      { blobs: [...blob(notes, 20), ...blob(notes + 19n, 8)] },
      'notes and notes overlap',
    ],
    ['notes at offset 0', { noteRange: { start: 0n, end: 20n } }, 'the notes are not aligned, or at offset 0'],
    ['notes 2 bytes off', { noteRange: { start: notes + 2n, end: notes + 22n } }, 'the notes are not aligned'],
    ['notes 4 bytes further', { noteRange: { start: notes + 4n, end: notes + 24n } }, undefined],
    ['no notes', { noteRange: undefined }, undefined],
  ])('%s', (_, changed, law) => {
    const broken = lawBroken(changed);
    if (law === undefined) expect(broken).toBeUndefined();
    else expect(broken).toContain(law);
  });

  it('wants a moved program header table at a multiple of its words', () => {
    const free = { blobs: [], noteRange: undefined, fileSize: 0x1000n };
    const at = (e_phoff: bigint) => lawBroken({ ...free, header: header(e_phoff) });
    expect(at(0x400n)).toBeUndefined();
    expect(at(0x400n + word)).toBeUndefined();
    expect(at(0x400n + word / 2n)).toContain('the program header table is not aligned');
  });

  it('wants both tables inside the file', () => {
    const size = tableEnd - table;
    const at = (e_phoff: bigint) => lawBroken({ blobs: [], header: header(e_phoff), fileSize: 0x400n + size });
    expect(at(0x400n)).toBeUndefined();
    expect(at(0x400n + word)).toContain('program header table ends behind the file');
    const sections = inputFor(kernel(encoding, 64).section('.text')).analysis.image.sections;
    const shdrs = BigInt(sections.length * (encoding.bits === 64 ? 64 : 40));
    const withSections = (e_shoff: bigint) =>
      lawBroken({ sections, blobs: blob(notes, 20), header: { ...layout.header, e_shoff }, fileSize: 0x400n + shdrs });
    expect(withSections(0x400n)).toBeUndefined();
    expect(withSections(0x401n)).toContain('section header table ends behind the file');
    expect(withSections(notes + 20n)).toBeUndefined();
    expect(withSections(notes + 19n)).toContain('notes and section header table overlap');
  });
});
