/**
 * The checks of Xen's parser, in its order: elf_init, the notes, the gate, the addresses (xen/common/libelf). Messages are
 * those of 4.17 and later; older releases say the same with less detail.
 */

import { hex } from '../../base/errors/hex.js';
import { EM_386, EM_ARM, EM_X86_64 } from '../../formats/elf/names.js';
import type { Edit } from '../../formats/note/edits.js';
import { preset, setText, unset } from '../../formats/note/fix.js';
import { type Rule, refuse } from '../rule.js';
import { isElfBinary } from './libelf-image.js';
import { asItIs, mend, mendFeatures } from './mend.js';
import type { XenParse } from './parse.js';

const INIT = 'xen/common/libelf/libelf-loader.c, elf_init';
const PARSE = 'xen/common/libelf/libelf-dominfo.c';

function presetFor({ hvm }: XenParse): Edit {
  return preset(hvm ? 'pvh' : 'pv');
}

/** Nothing but a Linux or a generic loader's image, unless PHYS32_ENTRY says how to start it. */
function gateSkipped(parse: XenParse): boolean {
  if (parse.hasNothing || parse.machine === EM_ARM) return true;
  if (parse.parameters.physEntry === undefined || !parse.since('4.11')) return false;
  // Until 4.15 the parser was not told what the image is for, and took the note for an answer in PV, too.
  return parse.hvm || !parse.since('4.16');
}

/** `elf_init`: is it an ELF file whose tables lie in it? */
export const INIT_RULES: readonly Rule<XenParse>[] = [
  {
    name: 'elf-magic',
    source: 'xen/common/libelf/libelf-tools.c, elf_is_elfbinary',
    because: 'without the ELF magic and an ELF header there is nothing to parse',
    run({ source }) {
      return isElfBinary(source) ? undefined : refuse('ELF: not an ELF binary');
    },
  },
  {
    name: 'program-headers-in-file',
    source: INIT,
    because: 'the program header table, as long as e_phentsize and e_phnum make it, must end in the file',
    run({ source, image: { header } }) {
      const end = BigInt.asUintN(64, header.e_phoff + BigInt(header.e_phentsize) * BigInt(header.e_phnum));
      if (end <= source.size) return undefined;
      return refuse(`ELF: phdr overflow (off ${end.toString(16)} > size ${source.size.toString(16)})`);
    },
  },
  {
    name: 'section-headers-in-file',
    source: INIT,
    because: 'the same for the section header table, also when it has no entries: a stale e_shoff refuses the image',
    run({ source, image: { header } }) {
      const most = source.size / 40n;
      const count = BigInt(header.e_shnum) < most ? BigInt(header.e_shnum) : most;
      const end = BigInt.asUintN(64, header.e_shoff + BigInt(header.e_shentsize) * count);
      if (end <= source.size) return undefined;
      return refuse(`ELF: shdr overflow (off ${end.toString(16)} > size ${source.size.toString(16)})`);
    },
  },
];

/** The parser's rules behind those for the headers: notes, what makes an image a guest at all, addresses. */
export const PARSE_RULES: readonly Rule<XenParse>[] = [
  {
    name: 'required-features-known',
    source: `${PARSE}, elf_xen_parse_features`,
    because: 'a kernel that requires what this parser has no name for cannot be served',
    run(parse) {
      const { notes } = parse;
      if (notes.refused === undefined) return undefined;
      const known = mendFeatures(parse, (item) => (item.required && item.bit === undefined ? undefined : asItIs(item)));
      return refuse('(no message)', { reason: notes.refused, cure: known });
    },
  },
  {
    name: 'any-notes',
    source: `${PARSE}, elf_xen_note_check`,
    because: 'an x86 kernel without a note and without a __xen_guest string was not made for Xen',
    run(parse) {
      if (!parse.hasNothing || (parse.machine !== EM_386 && parse.machine !== EM_X86_64)) return undefined;
      return refuse("ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found", {
        cure: mend(parse, presetFor(parse)),
      });
    },
  },
  {
    name: 'loader-or-linux',
    source: `${PARSE}, elf_xen_note_check`,
    because: 'LOADER has to begin with generic, or GUEST_OS with linux: nothing else is known how to load',
    run(parse) {
      if (gateSkipped(parse)) return undefined;
      const { loader, guestOs } = parse.parameters;
      if (loader.startsWith('generic') || guestOs.startsWith('linux')) return undefined;
      return refuse(
        `ERROR: Will only load images built for the generic loader or Linux images (Not '${loader}' and '${guestOs}') or with PHYS32_ENTRY set`,
        {
          reason: noneRead(parse),
          cure: mend(
            parse,
            ...(parse.hvm && parse.parameters.physEntry === undefined
              ? [preset('pvh')]
              : [setText('LOADER', 'generic'), setText('XEN_VERSION', 'xen-3.0')]),
          ),
        },
      );
    },
  },
  {
    name: 'xen-version',
    source: `${PARSE}, elf_xen_note_check`,
    because: 'XEN_VERSION names the interface, which is called xen-3.0 in every release',
    run(parse) {
      if (gateSkipped(parse) || parse.parameters.xenVersion.startsWith('xen-3.0')) return undefined;
      const { xenVersion } = parse.parameters;
      return refuse(`ERROR: Xen will only load images built for Xen v3.0 (Not '${xenVersion}')`, {
        cure: mend(parse, setText('XEN_VERSION', 'xen-3.0')),
      });
    },
  },
  {
    name: 'paddr-offset-with-virt-base',
    source: `${PARSE}, elf_xen_addr_calc_check`,
    because: 'an offset to physical addresses has no meaning without the base it belongs to',
    run(parse) {
      if (parse.hvm && parse.since('4.18')) return undefined;
      const { paddrOffset, virtBase } = parse.parameters;
      if (paddrOffset === undefined || virtBase !== undefined) return undefined;
      return refuse('ERROR: ELF_PADDR_OFFSET set, VIRT_BASE unset', {
        cure: mend(parse, entryWithoutBase(parse) ? unset('PADDR_OFFSET') : presetFor(parse)),
      });
    },
  },
  {
    name: 'entry-in-bounds',
    source: `${PARSE}, elf_xen_addr_calc_check`,
    because: 'the entry has to lie in the loaded image, whose end counts as inside, and no part below VIRT_BASE',
    run(parse) {
      const { kstart, kend, entry, virtBase } = parse.addresses;
      const why =
        kstart > kend
          ? `the image would begin at ${hex(kstart)}, behind its end ${hex(kend)}`
          : entry < kstart
            ? `the entry ${hex(entry)} is below the image, which begins at ${hex(kstart)}`
            : entry > kend
              ? `the entry ${hex(entry)} is behind the image, which ends at ${hex(kend)}`
              : virtBase > kstart
                ? `the image begins at ${hex(kstart)}, below VIRT_BASE ${hex(virtBase)}`
                : undefined;
      if (why === undefined) return undefined;
      return refuse('ERROR: ELF start or entries are out of bounds', {
        reason: parse.loadable.length === 0 ? 'there is no PT_LOAD with a flag in p_flags' : why,
        cure: mend(parse, presetFor(parse)),
      });
    },
  },
  {
    name: 'p2m-outside-image',
    source: `${PARSE}, elf_xen_addr_calc_check`,
    because: 'the physical-to-machine table would be mapped over the kernel; compared for PVH as well',
    run(parse) {
      const { kstart, kend } = parse.addresses;
      const { initP2m } = parse.parameters;
      if (initP2m === undefined || initP2m < kstart || initP2m >= kend) return undefined;
      return refuse('ERROR: P->M table base is out of bounds', {
        reason: `INIT_P2M ${hex(initP2m)} lies in the image, ${hex(kstart)} to ${hex(kend)}`,
        cure: mend(parse, unset('INIT_P2M')),
      });
    },
  },
];

/** Would the entry be in the image if it lay where its physical addresses say? */
function entryWithoutBase({ parameters, image, pstart, pend }: XenParse): boolean {
  const entry = parameters.entry ?? image.header.e_entry;
  return entry >= pstart && entry <= pend;
}

/** Notes were walked, and none of them was Xen's. */
function noneRead({ notes, usesLegacy }: XenParse): string | undefined {
  if (notes.notes.length > 0 || usesLegacy) return undefined;
  return 'no note was read whose owner is exactly Xen: another owner, zeros, or a gap that puts the reader out of step';
}
