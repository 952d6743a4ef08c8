/**
 * What Xen's parser takes from notes or from the `__xen_guest` string (xen/common/libelf/libelf-dominfo.c,
 * elf_xen_parse_note and elf_xen_parse_guest_info). For most notes the last of a type counts; masks add up.
 */
import { latin1 } from '../../bytes/text.js';
import type { ElfImage } from '../../elf/image.js';
import { featureItems } from '../../note/features.js';
import { parseLegacy, parseNumber } from '../../note/legacy.js';
import { LoaderReader } from '../../note/loader-reader.js';
import type { XenView, XenViewNote } from '../../note/loader-walks.js';
import { noteInfo } from '../../note/xen-notes.js';

export type PaeMode = 'none' | 'yes' | 'extended-cr3' | 'bimodal';

/** The parser's parameter block. Undefined: not given, which some all-ones values say too. */
export interface XenParameters {
  readonly loader: string;
  readonly guestOs: string;
  readonly guestVersion: string;
  readonly xenVersion: string;
  readonly pae: PaeMode;
  readonly bsdSymtab: boolean;
  readonly virtBase: bigint | undefined;
  readonly entry: bigint | undefined;
  readonly paddrOffset: bigint | undefined;
  readonly hypercallPage: bigint | undefined;
  readonly hvStartLow: bigint | undefined;
  readonly initP2m: bigint | undefined;
  readonly physEntry: bigint | undefined;
  readonly unmappedInitrd: boolean;
  readonly supported: number;
  readonly required: number;
  /** Is the note SUPPORTED_FEATURES there? dom0 builders ask. */
  readonly supportedNote: boolean;
  readonly reloc: readonly bigint[] | undefined;
  /** The `__xen_guest` string did not end within the file. */
  readonly ranOut: boolean;
}

type Mutable = { -readonly [Key in keyof XenParameters]: XenParameters[Key] };

/** What the parser takes for "not given". */
const UNSET = (1n << 64n) - 1n;
const UNSET32 = (1n << 32n) - 1n;

/** Characters that the parser keeps of a string. */
const KEPT = 15;

/** The longest `__xen_guest` string that is followed. */
const LEGACY_LIMIT = 0x10000n;

function fresh(): Mutable {
  return {
    loader: '',
    guestOs: '',
    guestVersion: '',
    xenVersion: '',
    pae: 'none',
    bsdSymtab: false,
    virtBase: undefined,
    entry: undefined,
    paddrOffset: undefined,
    hypercallPage: undefined,
    hvStartLow: undefined,
    initP2m: undefined,
    physEntry: undefined,
    unmappedInitrd: false,
    supported: 0,
    required: 0,
    supportedNote: false,
    reloc: undefined,
    ranOut: false,
  };
}

/** The parameters that the notes give. */
export function parametersOfNotes(view: XenView): XenParameters {
  const given = fresh();
  for (const note of view.notes) take(given, note);
  return given;
}

function take(given: Mutable, { record, reads }: XenViewNote): void {
  const name = noteInfo(record.type)?.name;
  if (reads.kind === 'number') {
    const value = reads.value === UNSET ? undefined : reads.value;
    if (name === 'ENTRY') given.entry = value;
    else if (name === 'HYPERCALL_PAGE') given.hypercallPage = value;
    else if (name === 'VIRT_BASE') given.virtBase = value;
    else if (name === 'PADDR_OFFSET') given.paddrOffset = value;
    else if (name === 'HV_START_LOW') given.hvStartLow = value;
    else if (name === 'INIT_P2M') given.initP2m = value;
    else if (name === 'MOD_START_PFN') given.unmappedInitrd = reads.value !== 0n;
    else if (name === 'PHYS32_ENTRY') given.physEntry = reads.value === UNSET32 ? undefined : reads.value;
    else if (name === 'SUPPORTED_FEATURES') {
      given.supported = (given.supported | Number(reads.value)) >>> 0;
      given.supportedNote = true;
    }
  } else if (reads.kind === 'string') {
    const { text } = reads;
    if (name === 'LOADER') given.loader = text.slice(0, KEPT);
    else if (name === 'GUEST_OS') given.guestOs = text.slice(0, KEPT);
    else if (name === 'GUEST_VERSION') given.guestVersion = text.slice(0, KEPT);
    else if (name === 'XEN_VERSION') given.xenVersion = text.slice(0, KEPT);
    else if (name === 'PAE_MODE') {
      if (text === 'yes') given.pae = 'extended-cr3';
      if (text.includes('bimodal')) given.pae = 'bimodal';
    } else if (name === 'BSD_SYMTAB') {
      if (text === 'yes') given.bsdSymtab = true;
    } else if (name === 'FEATURES') takeFeatures(given, text);
  } else if (reads.kind === 'words') {
    // Word by word: a shorter note later leaves the rest of an earlier one.
    given.reloc = [...reads.words, ...(given.reloc ?? []).slice(reads.words.length)];
  }
}

/** Up to the first required name that Xen does not know; true when there was none. */
function takeFeatures(given: Mutable, text: string): boolean {
  for (const { bit, required } of featureItems(text)) {
    if (bit !== undefined) {
      given.supported = (given.supported | (1 << bit)) >>> 0;
      if (required) given.required = (given.required | (1 << bit)) >>> 0;
    } else if (required) return false;
  }
  return true;
}

/** The parameters that the `__xen_guest` string of a section gives. An unknown required feature ends it, no more. */
export function parametersOfLegacy(image: ElfImage, section: number): XenParameters {
  const given = fresh();
  const offset = image.sections[section]?.sh_offset ?? 0n;
  const bytes = new LoaderReader(image.source, image.encoding.endian).bytes(offset, LEGACY_LIMIT);
  const nul = bytes.indexOf(0);
  const text = latin1(bytes.subarray(0, nul < 0 ? bytes.length : nul));
  given.ranOut = nul < 0 && offset + LEGACY_LIMIT > image.source.size;
  for (const { key, value } of parseLegacy(text)) {
    const number = () => {
      const parsed = parseNumber(value);
      return parsed === UNSET ? undefined : parsed;
    };
    if (key === 'LOADER') given.loader = value.slice(0, KEPT);
    else if (key === 'GUEST_OS') given.guestOs = value.slice(0, KEPT);
    else if (key === 'GUEST_VER') given.guestVersion = value.slice(0, KEPT);
    else if (key === 'XEN_VER') given.xenVersion = value.slice(0, KEPT);
    else if (key === 'PAE') {
      if (value === 'yes[extended-cr3]') given.pae = 'extended-cr3';
      else if (value.startsWith('yes')) given.pae = 'yes';
    } else if (key === 'BSD_SYMTAB') given.bsdSymtab = true;
    else if (key === 'VIRT_BASE') given.virtBase = number();
    else if (key === 'VIRT_ENTRY') given.entry = number();
    else if (key === 'ELF_PADDR_OFFSET') given.paddrOffset = number();
    else if (key === 'HYPERCALL_PAGE') {
      const page = BigInt.asUintN(64, parseNumber(value) << 12n);
      given.hypercallPage = page === UNSET ? undefined : page;
    } else if (key === 'FEATURES' && !takeFeatures(given, value)) break;
  }
  if (given.hypercallPage !== undefined && given.virtBase !== undefined) {
    given.hypercallPage = BigInt.asUintN(64, given.hypercallPage + given.virtBase);
  }
  return given;
}
