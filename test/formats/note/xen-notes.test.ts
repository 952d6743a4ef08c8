import { describe, expect, it } from 'vitest';
import { noteInfo, parseNoteName, XEN_NOTES } from '../../../src/formats/note/xen-notes.js';

// xen/include/public/elfnote.h: number, name, the legacy key named in its comment, and what the value is.
const ROWS: readonly [number, string, string | undefined, string, number | 'native'][] = [
  [0, 'INFO', undefined, 'string', 'native'],
  [1, 'ENTRY', 'VIRT_ENTRY', 'number', 'native'],
  [2, 'HYPERCALL_PAGE', 'HYPERCALL_PAGE', 'number', 'native'],
  [3, 'VIRT_BASE', 'VIRT_BASE', 'number', 'native'],
  [4, 'PADDR_OFFSET', 'ELF_PADDR_OFFSET', 'number', 'native'],
  [5, 'XEN_VERSION', 'XEN_VER', 'string', 'native'],
  [6, 'GUEST_OS', 'GUEST_OS', 'string', 'native'],
  [7, 'GUEST_VERSION', 'GUEST_VER', 'string', 'native'],
  [8, 'LOADER', 'LOADER', 'string', 'native'],
  [9, 'PAE_MODE', 'PAE', 'string', 'native'],
  [10, 'FEATURES', 'FEATURES', 'string', 'native'],
  [11, 'BSD_SYMTAB', 'BSD_SYMTAB', 'string', 'native'],
  [12, 'HV_START_LOW', undefined, 'number', 'native'],
  [13, 'L1_MFN_VALID', undefined, 'list', 'native'],
  [14, 'SUSPEND_CANCEL', undefined, 'number', 4],
  [15, 'INIT_P2M', undefined, 'number', 'native'],
  [16, 'MOD_START_PFN', undefined, 'number', 4],
  [17, 'SUPPORTED_FEATURES', undefined, 'number', 4],
  [18, 'PHYS32_ENTRY', undefined, 'number', 4],
  [19, 'PHYS32_RELOC', undefined, 'list', 4],
];

describe('XEN_NOTES', () => {
  it.each(ROWS)('type %i is %s', (type, name, legacyKey, kind, width) => {
    expect(noteInfo(type)).toMatchObject({ type, name, legacyKey, kind, width });
    expect(parseNoteName(name)).toMatchObject({ type, width: undefined });
  });

  it('has these rows and no others', () => {
    expect(XEN_NOTES).toHaveLength(ROWS.length);
    expect(noteInfo(20)).toBeUndefined();
    expect(noteInfo(-1)).toBeUndefined();
  });
});

describe('parseNoteName()', () => {
  it.each([
    ['PHYS32_ENTRY', 18, undefined],
    ['phys32_entry', 18, undefined],
    ['XEN_ELFNOTE_PHYS32_ENTRY', 18, undefined],
    ['xen_elfnote_Phys32_Entry/8', 18, 8],
    ['18', 18, undefined],
    ['0x12/4', 18, 4],
    ['0X12', 18, undefined],
    ['27', 27, undefined],
    ['0xffffffff', 0xffff_ffff, undefined],
    ['0', 0, undefined],
  ])('%s', (text, type, width) => {
    expect(parseNoteName(text)).toEqual({ type, info: noteInfo(type), width });
  });

  it.each([
    ['PHYS_ENTRY', 'PHYS32_ENTRY'],
    ['PHYS32', 'PHYS32_ENTRY or PHYS32_RELOC'],
    ['GUESTOS', 'GUEST_OS'],
    ['LODAER', 'LOADER'],
    ['xen_elfnote_hypercal_page', 'HYPERCALL_PAGE'],
  ])('an unknown name names the nearest: %s', (text, hint) => {
    expect(() => parseNoteName(text)).toThrow(
      expect.objectContaining({ id: 'note.unknown-name', hint: expect.stringContaining(`Did you mean ${hint}`) }),
    );
  });

  it.each(['', 'zzzzzzzzzz', '0x100000000', '-1', '1.5', '/4'])('refuses "%s"', (text) => {
    expect(() => parseNoteName(text)).toThrow(expect.objectContaining({ id: 'note.unknown-name', exit: 2 }));
  });

  it.each(['ENTRY/', 'ENTRY/3', 'ENTRY/16', 'ENTRY/4/4', 'ENTRY/0x4'])('refuses the width of "%s"', (text) => {
    expect(() => parseNoteName(text)).toThrow(expect.objectContaining({ id: 'note.bad-width' }));
  });
});
