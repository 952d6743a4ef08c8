/**
 * What Xen's parser takes from notes or from the `__xen_guest` string (xen/common/libelf/libelf-dominfo.c,
 * elf_xen_parse_note and elf_xen_parse_guest_info). For most notes the last of a type counts; masks add up.
 */
import { latin1 } from '../../base/bytes/text.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { featureItems } from '../../formats/note/features.js';
import { XEN_ELFNOTE, type XenNoteName } from '../../formats/note/note-types.js';
import { infoOf } from '../../formats/note/xen-notes.js';
import { parseLegacy, parseNumber, UNSET } from '../read/legacy.js';
import { LoaderReader } from '../read/loader-reader.js';
import type { XenView } from '../read/loader-walks.js';

/** What the PAE_MODE note asks for, as Xen's parser understands it. */
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

/** What the parser takes for "not given" where it reads 32 bits. */
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

/** One parameter: the note that gives it, and what the parser takes from it. */
interface Row {
  readonly name: XenNoteName;
  readonly number?: (given: Mutable, value: bigint) => void;
  readonly text?: (given: Mutable, text: string) => void;
  readonly words?: (given: Mutable, words: readonly bigint[]) => void;
  /** What it takes from the item of the `__xen_guest` string with the note's legacy key; false ends the string. */
  readonly item?: (given: Mutable, value: string) => boolean;
}

type NumberField = 'virtBase' | 'entry' | 'paddrOffset' | 'hypercallPage' | 'hvStartLow' | 'initP2m';
type TextField = 'loader' | 'guestOs' | 'guestVersion' | 'xenVersion';

function unlessUnset(value: bigint, unset = UNSET): bigint | undefined {
  return value === unset ? undefined : value;
}

function numberRow(name: XenNoteName, field: NumberField): Row {
  const take = (given: Mutable, value: bigint) => {
    given[field] = unlessUnset(value);
    return true;
  };
  return { name, number: take, item: (given, value) => take(given, parseNumber(value)) };
}

function textRow(name: XenNoteName, field: TextField): Row {
  const take = (given: Mutable, text: string) => {
    given[field] = text.slice(0, KEPT);
    return true;
  };
  return { name, text: take, item: take };
}

/** A note without a row is read and forgotten. In the order of their numbers. */
const ROWS: readonly Row[] = [
  numberRow('ENTRY', 'entry'),
  {
    ...numberRow('HYPERCALL_PAGE', 'hypercallPage'),
    // An address in the note, in the string the number of a page behind VIRT_BASE.
    item(given, value) {
      given.hypercallPage = unlessUnset(BigInt.asUintN(64, parseNumber(value) << 12n));
      return true;
    },
  },
  numberRow('VIRT_BASE', 'virtBase'),
  numberRow('PADDR_OFFSET', 'paddrOffset'),
  textRow('XEN_VERSION', 'xenVersion'),
  textRow('GUEST_OS', 'guestOs'),
  textRow('GUEST_VERSION', 'guestVersion'),
  textRow('LOADER', 'loader'),
  {
    name: 'PAE_MODE',
    text(given, text) {
      if (text === 'yes') given.pae = 'extended-cr3';
      if (text.includes('bimodal')) given.pae = 'bimodal';
    },
    item(given, value) {
      if (value.startsWith('yes')) given.pae = value === 'yes[extended-cr3]' ? 'extended-cr3' : 'yes';
      return true;
    },
  },
  { name: 'FEATURES', text: takeFeatures, item: takeFeatures },
  {
    name: 'BSD_SYMTAB',
    text(given, text) {
      if (text === 'yes') given.bsdSymtab = true;
    },
    item(given) {
      given.bsdSymtab = true;
      return true;
    },
  },
  numberRow('HV_START_LOW', 'hvStartLow'),
  numberRow('INIT_P2M', 'initP2m'),
  {
    name: 'MOD_START_PFN',
    number(given, value) {
      given.unmappedInitrd = value !== 0n;
    },
  },
  {
    name: 'SUPPORTED_FEATURES',
    number(given, value) {
      given.supported = (given.supported | Number(value)) >>> 0;
      given.supportedNote = true;
    },
  },
  {
    name: 'PHYS32_ENTRY',
    number(given, value) {
      given.physEntry = unlessUnset(value, UNSET32);
    },
  },
  {
    name: 'PHYS32_RELOC',
    words(given, words) {
      // Word by word: a shorter note later leaves the rest of an earlier one.
      given.reloc = [...words, ...(given.reloc ?? []).slice(words.length)];
    },
  },
];

const BY_TYPE = new Map<number, Row>(ROWS.map((row) => [XEN_ELFNOTE[row.name], row]));
const BY_KEY = new Map(
  ROWS.flatMap((row) => {
    const key = infoOf(row.name).legacyKey;
    return key === undefined ? [] : [[key, row] as const];
  }),
);

/** The parameters that the notes give. */
export function parametersOfNotes(view: XenView): XenParameters {
  const given = fresh();
  for (const { record, reads } of view.notes) {
    const row = BY_TYPE.get(record.type);
    if (reads.kind === 'number') row?.number?.(given, reads.value);
    else if (reads.kind === 'string') row?.text?.(given, reads.text);
    else if (reads.kind === 'words') row?.words?.(given, reads.words);
  }
  return given;
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
    if (BY_KEY.get(key)?.item?.(given, value) === false) break;
  }
  if (given.hypercallPage !== undefined && given.virtBase !== undefined) {
    given.hypercallPage = BigInt.asUintN(64, given.hypercallPage + given.virtBase);
  }
  return given;
}
