/** What `stamp` may be asked to put into a PE image, and the sections that come of it. Pure: nothing is placed yet. */
import { equalBytes, utf8Bytes } from '../../base/bytes/text.js';
import { fail } from '../../base/errors/patch-error.js';
import { NAME_SIZE } from '../../formats/pe/headers.js';
import type { PeImage, PeSection } from '../../formats/pe/image.js';
import {
  METADATA_SECTIONS,
  PACKAGE_SECTION,
  SBAT_SECTION,
  SBOM_SECTION,
  sectionCalled,
  sectionContent,
} from '../../formats/pe/metadata-sections.js';
import { mergeSbat, readSbat, rowOf, SBAT_HEADER, type SbatRow, sbatText } from '../../formats/pe/sbat.js';
import { uswidProblem } from '../../formats/pe/uswid.js';
import { type Metadata, metadataText, parseMetadata } from '../stamp/package-metadata.js';

/** A section by name with its bytes. */
export interface SectionContent {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The stamps that a command line asks for. */
export interface PeStampWish {
  /** Lines to be put in, in their order; none leaves what is there. */
  readonly sbat: readonly SbatRow[];
  readonly allowSbatDowngrade: boolean;
  /** The whole object; undefined leaves the one that is there. */
  readonly metadata: Metadata | undefined;
  /** Members put into the object, over those that are there. */
  readonly members: Metadata;
  readonly sbom: Uint8Array | undefined;
  readonly sections: readonly SectionContent[];
  readonly stripSignature: boolean;
}

/** A section that is to hold other bytes than it does, or that is not there. */
export interface WantedSection extends SectionContent {
  readonly old: PeSection | undefined;
}

/**
 * The sections whose bytes the wish changes, in the order in which new ones are put in.
 * Errors: `pe.bad-sbat`, `pe.sbat-downgrade`, `pe.bad-sbom`, `pe.section-exists`, `pe.section-name`, `stamp.bad-metadata`.
 */
export function wantedSections(image: PeImage, wish: PeStampWish): WantedSection[] {
  const contents: SectionContent[] = [];
  if (wish.sbat.length > 0) contents.push({ name: SBAT_SECTION, bytes: utf8Bytes(sbatText(sbatRows(image, wish))) });
  if (wish.metadata !== undefined || Object.keys(wish.members).length > 0) {
    contents.push({ name: PACKAGE_SECTION, bytes: packageBytes(image, wish) });
  }
  if (wish.sbom !== undefined) {
    const why = uswidProblem(wish.sbom);
    if (why !== undefined) fail('pe.bad-sbom', { file: image.source.name }, { why });
    contents.push({ name: SBOM_SECTION, bytes: wish.sbom });
  }
  for (const content of wish.sections) {
    refuseName(content, contents);
    contents.push(content);
  }
  return contents.flatMap(({ name, bytes }) => {
    const old = sectionCalled(image, name);
    const was = old === undefined ? undefined : sectionContent(image, old);
    if (was !== undefined && old?.VirtualSize === BigInt(bytes.length) && equalBytes(was, bytes)) return [];
    if (old !== undefined && !METADATA_SECTIONS.includes(name)) {
      fail('pe.section-exists', { file: image.source.name, part: `section ${name}` }, { name });
    }
    return [{ name, bytes, old }];
  });
}

/** The name as eight bytes: loaders of an image read no longer ones. */
function refuseName({ name, bytes }: SectionContent, others: readonly SectionContent[]): void {
  const refuse = (why: string) => fail('pe.section-name', {}, { name, why });
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > NAME_SIZE) refuse(`wanted 1 to ${NAME_SIZE} ASCII characters`);
  if (name.startsWith('/')) refuse('a name that begins with / stands for another one');
  if (METADATA_SECTIONS.includes(name)) refuse(`${name} has an option of its own, which checks what goes in`);
  if (others.some((other) => other.name === name)) refuse('it is given twice');
  if (bytes.length === 0) refuse('there are no bytes for it');
}

function sbatRows(image: PeImage, { sbat, allowSbatDowngrade: allowDowngrade }: PeStampWish): readonly SbatRow[] {
  const part = `section ${SBAT_SECTION}`;
  const place = { file: image.source.name, part };
  const section = sectionCalled(image, SBAT_SECTION);
  const bytes = section === undefined ? undefined : sectionContent(image, section);
  const old = bytes === undefined ? undefined : readSbat(bytes);
  if (old?.problem !== undefined) fail('pe.bad-sbat', place, old.problem);
  const first = rowOf(SBAT_HEADER);
  const start = old?.rows ?? (typeof first === 'string' ? [] : [first]);
  return mergeSbat(start, sbat, { allowDowngrade, place });
}

/** The JSON text with a NUL behind it, and nothing more: a section has its size. */
function packageBytes(image: PeImage, { metadata, members }: PeStampWish): Uint8Array {
  const text = JSON.stringify({ ...(metadata ?? packageOf(image)), ...members });
  parseMetadata(text);
  return utf8Bytes(`${text}\0`);
}

function packageOf(image: PeImage): Metadata {
  const section = sectionCalled(image, PACKAGE_SECTION);
  const bytes = section === undefined ? undefined : sectionContent(image, section);
  if (bytes === undefined) return {};
  return parseMetadata(metadataText(bytes) ?? '', { file: image.source.name, part: `section ${PACKAGE_SECTION}` });
}
