/** What Xen goes by once it accepts an image. */

import { hex } from '../../base/errors/hex.js';
import { EM_386, EM_X86_64 } from '../../formats/elf/names.js';
import { featureNames } from '../../formats/note/features.js';
import type { Value } from '../rule.js';
import type { XenParse } from './parse.js';

/** Every value that the parser hands over, by name; undefined where the image gives none and there is no default. */
export function xenValues(parse: XenParse): Record<string, Value> {
  const { parameters: given, addresses } = parse;
  return {
    from: parse.usesLegacy ? '__xen_guest' : parse.notes.from,
    entry: parse.hvm ? (given.physEntry ?? addresses.entry) : addresses.entry,
    mode: parse.hvm ? '32-bit, paging off' : parse.is64 ? '64-bit, paging on' : '32-bit PAE, paging on',
    guestType: guestType(parse),
    virtBase: addresses.virtBase,
    paddrOffset: addresses.paddrOffset,
    virtKstart: addresses.kstart,
    virtKend: addresses.kend,
    physEntry: given.physEntry,
    physReloc: parse.hvm ? given.reloc?.map((word) => hex(word)) : undefined,
    hypercallPage: given.hypercallPage,
    initP2m: given.initP2m,
    hvStartLow: given.hvStartLow,
    pae: given.pae,
    guestOs: given.guestOs,
    guestVersion: given.guestVersion,
    loader: given.loader,
    xenVersion: given.xenVersion,
    unmappedInitrd: given.unmappedInitrd,
    bsdSymtab: given.bsdSymtab,
    featuresSupported: featureNames(given.supported),
    featuresRequired: featureNames(given.required),
  };
}

/** The word that must be among the hypervisor's capabilities (tools/libs/guest/xg_dom_x86.c, xc_dom_guest_type). */
export function guestType({ hvm, machine, parameters: { pae, physEntry } }: XenParse): string | undefined {
  if (hvm) return physEntry === undefined ? undefined : 'hvm-3.0-x86_32';
  if (machine === EM_X86_64) return 'xen-3.0-x86_64';
  if (machine === EM_386) return pae === 'none' ? 'xen-3.0-x86_32' : 'xen-3.0-x86_32p';
  return undefined;
}
