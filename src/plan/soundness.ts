/**
 * Images that are refused before anything is planned: linked in a way that has no segments, signed, or with headers that
 * contradict themselves, so that loaders disagree about them and no edit could be proved harmless.
 */
import { isAlignment } from '../bytes/align.js';
import { fits } from '../bytes/source.js';
import { addressSpace, type ElfImage, hasFileBytes } from '../elf/image.js';
import { ET_CORE, ET_REL, fileTypeName, PT_LOAD, PT_NULL, SHT_STRTAB, segmentTypeName } from '../elf/names.js';
import { hex } from '../errors/hex.js';
import { fail } from '../errors/patch-error.js';
import { unsoundCounts, unsoundPhdrSegments, unsoundReferences } from './sound-references.js';

/** What a signed kernel module or image ends with (Linux, include/linux/module_signature.h). */
const SIGNATURE_TRAILER = Buffer.from('~Module signature appended~\n', 'latin1');

/** Errors: `plan.relocatable`, `plan.signed`, `plan.unsound`. */
export function refuseUnsound(image: ElfImage): void {
  const { source, header } = image;
  const file = source.name;
  if (header.e_type === ET_REL || header.e_type === ET_CORE) {
    fail('plan.relocatable', { file, offset: 16n, part: 'e_type' }, { type: fileTypeName(header.e_type) });
  }
  const trailer = BigInt(SIGNATURE_TRAILER.length);
  if (source.size > trailer) {
    const end = source.read(source.size - trailer, trailer, 'end of file');
    if (SIGNATURE_TRAILER.equals(end))
      fail('plan.signed', { file, offset: source.size - trailer }, { end: source.size });
  }
  for (const [index, what] of [...unsoundSegments(image), ...unsoundPhdrSegments(image)]) {
    const offset = header.e_phoff + BigInt(index * header.e_phentsize);
    fail('plan.unsound', { file, offset, part: `program header ${index}` }, { what });
  }
  for (const [index, what] of [...unsoundCounts(image), ...unsoundSections(image), ...unsoundReferences(image)]) {
    const offset = header.e_shoff + BigInt(index * header.e_shentsize);
    fail('plan.unsound', { file, offset, part: `section header ${index}` }, { what });
  }
}

function* unsoundSegments({ segments, source, encoding }: ElfImage): Generator<[number, string]> {
  const limit = addressSpace(encoding);
  for (const [index, s] of segments.entries()) {
    if (s.p_type === PT_NULL) continue;
    const name = segmentTypeName(s.p_type);
    if (s.p_filesz > 0n && !fits(s.p_offset, s.p_filesz, source.size)) {
      const end = hex(s.p_offset + s.p_filesz);
      yield [index, `found ${name} ending at ${end}, wanted it inside the file of ${hex(source.size)} bytes`];
    }
    if (!isAlignment(s.p_align)) yield [index, `found p_align ${hex(s.p_align)}, wanted 0 or a power of two`];
    if (s.p_type !== PT_LOAD) continue;
    if (s.p_filesz > s.p_memsz) {
      yield [
        index,
        `found p_filesz ${hex(s.p_filesz)} above p_memsz ${hex(s.p_memsz)}, wanted no more bytes than memory`,
      ];
    }
    if (s.p_vaddr + s.p_memsz > limit || s.p_paddr + s.p_memsz > limit) {
      yield [index, `found addresses that wrap (p_memsz ${hex(s.p_memsz)}), wanted them below ${hex(limit)}`];
    }
  }
}

function* unsoundSections({ sections, source, shstrndx }: ElfImage): Generator<[number, string]> {
  for (const [index, s] of sections.entries()) {
    if (index === 0 || !hasFileBytes(s)) continue;
    if (!fits(s.sh_offset, s.sh_size, source.size)) {
      const end = hex(s.sh_offset + s.sh_size);
      yield [index, `found a section ending at ${end}, wanted it inside the file of ${hex(source.size)} bytes`];
    }
  }
  if (shstrndx === 0 || sections.length === 0) return;
  const names = sections[shstrndx];
  if (names === undefined) yield [0, `found e_shstrndx ${shstrndx}, wanted an index below ${sections.length}`];
  else if (names.sh_type !== SHT_STRTAB) {
    yield [shstrndx, `found sh_type ${names.sh_type} for the section-name table, wanted SHT_STRTAB`];
  }
}
