/**
 * What an earlier edit left gives a later one leave to change more than in an image of a linker: the names of sections that edits
 * added, and the place of a former program header table. Beside each, the same freedom taken where it is damage.
 */
import { describe, expect, it } from 'vitest';
import { Phdr } from '../../../src/formats/elf/headers.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { flip, goodEdit, imageOf, NOTE, sectionOf, setHeader, setSection, TEXT } from '../../support/good-edit.js';

const COMMENT = 4;
const ADDED = 9;

describe.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
  const { after: edited, expectation: made } = goodEdit(encoding);
  const unplanned = { ...made, planned: [], touchedSections: [], replacedSegments: [] };

  /** Which of these checks find something wrong in the edited image once it was changed again. */
  function found(
    check: string,
    change: (bytes: Uint8Array) => void,
    expectation: Partial<typeof made> = {},
    before = edited,
  ) {
    const after = Uint8Array.from(before);
    change(after);
    const meant = { ...unplanned, fileSize: BigInt(after.length), ...expectation };
    return verifyImage({ image: imageOf(after), baseline: imageOf(before), expectation: meant }).filter(
      (finding) => finding.check === check && finding.level === 'error',
    ).length;
  }

  describe('names of sections', () => {
    const names = sectionOf(edited, '.shstrtab');
    const own = BigInt(sectionOf(edited, '.note.Xen').sh_name);
    const check = 'section-name-table';

    it('that an edit added may go', () => {
      expect(found(check, (bytes) => flip(bytes, names.sh_offset + own + 2n))).toBe(0);
    });

    it.each([
      ['another byte in a name of the linker', (bytes: Uint8Array) => flip(bytes, names.sh_offset + own - 3n)],
      ['its NUL is gone', (bytes: Uint8Array) => flip(bytes, names.sh_offset + own - 1n)],
      ['the table ends within it', (bytes: Uint8Array) => setSection(bytes, '.shstrtab', { sh_size: own - 2n })],
    ])('of a linker may not: %s', (_, change) => {
      expect(found(check, change)).toBe(1);
    });

    it.each([
      ['an added section gets another name', 0, '.note.Xen', { sh_name: 1 }, [ADDED]],
      ['unmeant', 1, '.note.Xen', { sh_name: 1 }, []],
      ['a section of the linker gets another name', 1, '.comment', { sh_name: 1 }, [COMMENT]],
      ['an added section becomes code', 1, '.note.Xen', { sh_type: 1 }, [ADDED]],
    ])('%s', (_, count, name, fields, touchedSections) => {
      expect(found('sections-kept', (bytes) => setSection(bytes, name, fields), { touchedSections })).toBe(count);
    });
  });

  describe('a former program header table', () => {
    const { header, segments } = imageOf(edited);
    const size = Phdr.size(encoding);
    // Behind the table there is room; entries stand there as an edit left them when it moved the table away.
    const at = Number(header.e_phoff) + segments.length * size + 64;
    const planned = [
      { start: 0n, end: header.e_phoff },
      { start: BigInt(at), end: BigInt(at + segments.length * size) },
    ];

    function back(index: number, fields: Partial<Phdr>): number {
      const before = Uint8Array.from(edited);
      const put = (bytes: Uint8Array, entries: readonly Phdr[]) =>
        entries.map((entry, i) => Phdr.encodeInto(bytes, at + i * size, entry, encoding));
      put(
        before,
        segments.map((entry, i) => (i === index ? { ...entry, ...fields } : entry)),
      );
      const moved = (bytes: Uint8Array) => {
        put(bytes, segments);
        setHeader(bytes, { e_phoff: BigInt(at) });
      };
      return found('taken-bytes-free', moved, { planned }, before);
    }

    it.each([
      ['as it was', NOTE, {}],
      ['before a PT_NOTE led elsewhere', NOTE, { p_offset: 0x1000n }],
      ['before a PT_LOAD grew', TEXT, { p_filesz: 0x180n, p_memsz: 0x180n }],
    ])('is one: %s', (_, index, fields) => {
      expect(back(index, fields)).toBe(0);
    });

    it.each([
      ['a PT_LOAD with other rights', TEXT, { p_flags: 7 }],
      ['a PT_LOAD from elsewhere', TEXT, { p_offset: 0x1000n }],
      ['a PT_LOAD with memory behind its bytes', TEXT, { p_filesz: 0x100n }],
      ['another type', NOTE, { p_type: 7 }],
    ])('is none: %s', (_, index, fields) => {
      expect(back(index, fields)).toBe(1);
    });
  });
});
