/** A file as programs see it that start PE images: its headers, whatever they are, its signature and its SBAT. */
import type { ByteSource } from '../../base/bytes/source.js';
import { findBytes, latin1, latin1Bytes } from '../../base/bytes/text.js';
import { type SignatureState, signatureState } from '../../formats/pe/authenticode.js';
import { directory, type PeSection } from '../../formats/pe/image.js';
import { SBAT_SECTION, sectionCalled, sectionContent } from '../../formats/pe/metadata-sections.js';
import {
  DIRECTORY_BASERELOC,
  DIRECTORY_SECURITY,
  IMAGE_FILE_MACHINE_AMD64,
  IMAGE_SCN_MEM_DISCARDABLE,
  PE32PLUS,
} from '../../formats/pe/names.js';
import { looksLikePe, type PeHeaders, readPeHeaders } from '../../formats/pe/read.js';

/** A component of SBAT as shim reads it. */
export interface SbatEntry {
  readonly component: string;
  /** By atoi: 0 where it is no number. */
  readonly generation: number;
}

/** What a .sbat section says; undefined: a line that shim cannot take apart. */
export type SbatEntries = readonly SbatEntry[] | undefined;

const FIELDS = 6;
const RELOCATIONS = '.reloc';

/** The message of Xen's own look at its relocations, when it finds none of the kind it knows (xen/arch/x86/efi/efi-boot.h). */
const XEN_READS_RELOCATIONS = utf16('Unsupported relocation type');

/** Every question is answered once. */
export class EfiView {
  readonly source: ByteSource;
  readonly headers: PeHeaders | undefined;
  readonly isMz: boolean;
  #signature: SignatureState | undefined;
  #sbat: { readonly entries: SbatEntries } | 'none' | undefined;
  #readsRelocations: boolean | undefined;

  constructor(source: ByteSource) {
    this.source = source;
    this.isMz = looksLikePe(source);
    this.headers = readPeHeaders(source);
  }

  /** Is it what an x86-64 machine runs? */
  get isForThisMachine(): boolean {
    const { headers } = this;
    return headers?.fileHeader.Machine === IMAGE_FILE_MACHINE_AMD64 && headers.optionalHeader?.Magic === PE32PLUS;
  }

  get sections(): readonly PeSection[] {
    return this.headers?.sections ?? [];
  }

  get isSigned(): boolean {
    return this.headers !== undefined && directory(this.headers, DIRECTORY_SECURITY) !== undefined;
  }

  /** Reads all of a signed file. */
  get signature(): SignatureState {
    const { headers, source } = this;
    this.#signature ??= headers === undefined ? 'none' : signatureState({ ...headers, source });
    return this.#signature;
  }

  /** Undefined: there is no .sbat section with data. */
  get sbat(): { readonly entries: SbatEntries } | undefined {
    this.#sbat ??= this.#readSbat() ?? 'none';
    return this.#sbat === 'none' ? undefined : this.#sbat;
  }

  #readSbat(): { readonly entries: SbatEntries } | undefined {
    const section = sectionCalled(this, SBAT_SECTION);
    const bytes = section === undefined ? undefined : sectionContent(this, section);
    return bytes === undefined ? undefined : { entries: sbatEntries(bytes) };
  }

  /** The section of base relocations, when programs that leave out what is discardable leave it out. */
  get discardableRelocations(): PeSection | undefined {
    const found = this.sections.find(({ name }) => name === RELOCATIONS);
    const { headers } = this;
    if (found === undefined || headers === undefined || directory(headers, DIRECTORY_BASERELOC) === undefined)
      return undefined;
    return (found.Characteristics & IMAGE_SCN_MEM_DISCARDABLE) === 0 ? undefined : found;
  }

  /** Does the image read its relocations once more, as Xen does? Looks through all that is initialised. */
  get readsItsRelocations(): boolean {
    this.#readsRelocations ??= this.sections.some((section) => holdsBytes(this.source, section, XEN_READS_RELOCATIONS));
    return this.#readsRelocations;
  }
}

/** Lines of at least six fields; what shim reads of them (csv.c, parse_csv_data; sbat.c, parse_sbat_section). */
function sbatEntries(bytes: Uint8Array): SbatEntries {
  const end = bytes.indexOf(0);
  const text = latin1(end < 0 ? bytes : bytes.subarray(0, end)).replace(/^\u00ef\u00bb\u00bf/, '');
  const lines = text.split(/[\r\n]+/).filter((line) => line !== '');
  const rows = lines.map((line) => line.split(','));
  if (rows.length === 0 || rows.some((fields) => fields.length < FIELDS)) return undefined;
  return rows.map(([component = '', generation = '']) => ({
    component,
    generation: Number.parseInt(/^\s*[+-]?\d+/.exec(generation)?.[0] ?? '0', 10),
  }));
}

const WINDOW = 0x100000n;

function holdsBytes(source: ByteSource, section: PeSection, wanted: Uint8Array): boolean {
  const overlap = BigInt(wanted.length);
  const end = section.PointerToRawData + section.SizeOfRawData;
  const stop = end < source.size ? end : source.size;
  for (let at = section.PointerToRawData; at < stop; at += WINDOW) {
    const size = stop - at < WINDOW + overlap ? stop - at : WINDOW + overlap;
    if (findBytes(source.read(at, size, 'a section'), wanted) >= 0) return true;
  }
  return false;
}

function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (const [index, byte] of latin1Bytes(text).entries()) bytes[index * 2] = byte;
  return bytes;
}
