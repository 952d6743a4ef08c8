/**
 * The library: the stages of the command as functions over plain values. Nothing here prints or ends the process; what
 * cannot be done is a PatchError with a stable id.
 *
 * ```ts
 * import { DEFAULT_WISH, FileSource, parseSetting, planPatch, readElf, writePatch } from 'xen-elfpatch';
 *
 * const source = FileSource.open('vmlinux');
 * const plan = planPatch(readElf(source), [{ kind: 'set', setting: parseSetting('PHYS32_ENTRY=phys:pvh_start_xen') }]);
 * await writePatch(plan, { inputPath: 'vmlinux', output: 'vmlinux.pvh' });
 * source.close();
 * ```
 *
 * Every address, offset and size is a `bigint`.
 */

// Installs Node's side of the ports.
import './platform/node.js';

// Open: bytes by range, each read checked against the size of the file.
export { FileSource } from './bytes/file-source.js';
// Ports: what the core needs of the platform; Node's are installed by importing the library.
export {
  type Hasher,
  type Inflated,
  installPorts,
  type OpenFile,
  type Ports,
  type ProgramResult,
} from './bytes/ports.js';
export type { Range } from './bytes/range.js';
export type { SecondParser } from './bytes/second-parser.js';
export { BufferSource, type ByteSource, OverlaySource, type Write } from './bytes/source.js';
// Containers: the ELF inside a gzip file or a bzImage, and notes written back into it.
export { type ContainerFacts, containerText } from './container/facts.js';
export { type Opened, type OpenedContainer, openContainer } from './container/open.js';
export { type Recognised, recognise } from './container/recognise.js';
export {
  type ContainerPlan,
  type ContainerWish,
  containerChanges,
  planContainer,
  planInside,
  writeContainer,
} from './container-pipeline.js';
// Diff: what differs between two images, entry by entry and byte by byte.
export type { ByteComparison, ByteDifference, ByteGroup } from './diff/bytes.js';
export { diffImages, type ImageDifference } from './diff/diff.js';
export type { EntryDifference, FieldDifference } from './diff/fields.js';
export type { NoteDifference, NoteSeen } from './diff/notes.js';
export { diffPe, type PeDifference } from './diff/pe-diff.js';
export type { FilePlace } from './diff/places.js';
// Read: headers to an ElfImage, extended numbering included.
export type { Ehdr, Phdr, Shdr } from './elf/headers.js';
export type { ElfImage } from './elf/image.js';
export { looksLikeElf, readElf } from './elf/read.js';
export { sectionName } from './elf/section-names.js';
export type { Encoding } from './elf/struct.js';
// Errors: one class, one catalogue.
export { PatchError, type Place } from './errors/patch-error.js';
export { PROBLEMS, type ProblemId } from './errors/problems.js';
// Explain and report: what the command says, as data.
export { explainTopic, indexTopic, type Topic, topicNames } from './explain/index.js';
// Fix: from what loaders say of an image to the smallest edit that makes them take it.
export { type Candidate, stepWords } from './fix/candidates.js';
export { type ProvedVerdict, proveCure } from './fix/cure.js';
export { type Diagnosis, type FoundFix, findFix, targetsOf } from './fix/fix.js';
// Plan, lay out, write: from a wish to a file that was read back and proved.
export type { Layout, Refusal, Survival } from './layout/layout.js';
// The result of a plan as bytes to read, before anything is written.
export { preview } from './layout/render.js';
// Linearize: a PE image that UEFI and Multiboot2 both load.
export { layOutLinear } from './linearize/lay-out.js';
export type { LinearLayout } from './linearize/layout.js';
export { changesLinear, type LinearWriteOptions, proveLinear, writeLinear } from './linearize/pipeline.js';
export { type LinearVerdict, verifyLinear, verifyPe } from './linearize/verify/verify.js';
export { DEFAULT_LINEAR_WISH, type LinearWish } from './linearize/wish.js';
export { judgeLoaders, LOADERS, type Lost, lostLoaders } from './loaders/loaders.js';
// Loaders: what they are called; would they start the image, by which rules, with which values?
export { LOADER_NAMES, LOADER_ROWS, type LoaderName, type LoaderRow } from './loaders/names.js';
export { accepts, type Loader, type Remark, type RuleReport, type Verdict } from './loaders/rule.js';
export { NEWEST_XEN, parseXenVersion, XEN_VERSIONS, type XenVersion } from './loaders/xen-version.js';
// Layout: the file and memory map, as data and as a picture.
export type { Band, BandKind } from './map/bands.js';
export { type ImageMap, imageMap } from './map/image-map.js';
export type { MemoryBand, MemoryNote } from './map/memory.js';
export { peMap } from './map/pe-map.js';
export { mapSvg } from './map/svg.js';
// mkelf32: a new 32-bit file around the contents of a linked hypervisor.
export type { Container as Mkelf32Container } from './mkelf32/container.js';
export { type OriginalRequest, planOriginal } from './mkelf32/mkelf32.js';
export { planTidy, type TidyRequest } from './mkelf32/tidy.js';
export { VARIANTS, type Variant, variantOf } from './mkelf32/variants.js';
export { writeMkelf32 } from './mkelf32/write.js';
// Notes: where they are, what they say, what loaders make of them.
export { type NoteArea, noteAreas } from './note/areas.js';
export {
  decodeValue,
  encodeList,
  encodeNumber,
  encodeString,
  type NoteValue,
} from './note/desc.js';
export { checkFeatures } from './note/features.js';
export type { Fix, HeaderRepair, ImageFix, LinearFix, WrapperChange } from './note/fix.js';
export { type CommandContext, fixCommand } from './note/fix-command.js';
export { type LegacyString, legacyToNotes, readLegacy } from './note/legacy.js';
export { walkAsXen, type XenView, type XenViewNote } from './note/loader-walks.js';
export { FDO, GNU, LINUX, XEN } from './note/note-types.js';
export { type PhysEntry, physEntryAsLinuxLoader, physEntryAsQemu } from './note/phys-entry.js';
export { formatReadnotes, type ReadnotesOutput } from './note/readnotes.js';
export {
  encodeNotes,
  type NoteContent,
  type NoteRecord,
  type NoteWalk,
  ownerOf,
  sameNote,
  walkNotes,
  xenNote,
} from './note/record.js';
export { loadSpec, parseSpec, type Spec } from './note/spec-file.js';
export { parseSetting, type Setting, type ValueExpr } from './note/value.js';
export {
  noteInfo,
  type ParsedNoteName,
  parseNoteName,
  XEN_NOTES,
  type XenNoteInfo,
  type XenNoteName,
} from './note/xen-notes.js';
export type { PeImage, PeSection } from './pe/image.js';
export { isPlainPe } from './pe/kind.js';
export { readPe } from './pe/read.js';
export {
  changes,
  expectationOf,
  type PatchPlan,
  planPatch,
  planUnchanged,
  sameAsPlanned,
  type WriteOptions,
  type Written,
  writePatch,
} from './pipeline.js';
export {
  DEFAULT_WISH,
  type Edit,
  PLACEMENTS,
  type PlacementName,
  type PlacementWish,
  SURVIVORS,
  type Survivor,
} from './plan/edits.js';
// Report: the same facts as text for people (styleOf(false): without colours) and as members of the promised documents.
export { diffJson, diffText } from './report/diff-report.js';
export { fixJson, fixText } from './report/fix-report.js';
export { type Json, jsonDocument } from './report/json.js';
export { mapJson } from './report/map-json.js';
export { mapComparison, mapText } from './report/map-text.js';
export { type NoteFact, type NotesFacts, notesFacts } from './report/notes-facts.js';
export { notesJson, notesText } from './report/notes-report.js';
export { type Outcome, otherNotesJson, patchJson, patchText } from './report/patch-report.js';
export { peDiffJson, peDiffText } from './report/pe-diff-report.js';
export { stampsJson, stampsText } from './report/stamp-report.js';
export { type Style, styleOf } from './report/text.js';
export type { XenVerdict } from './report/xen-verdicts.js';
// Stamp: package metadata, build-ids, notes of any owner, where no loader stops taking the image.
export { type Algorithm, computeBuildId } from './stamp/build-id.js';
export { sourceDate } from './stamp/date.js';
export { type NoteKey, parseNote, parseNoteKey } from './stamp/note-words.js';
export { type Metadata, metadataProblem, parseMetadata } from './stamp/package-metadata.js';
export {
  asksForEdits,
  type BuildIdWish,
  planStamp,
  type Stamp,
  type StampWish,
  stampsOf,
} from './stamp/stamp.js';
// Verify: the laws of the format, conservation against a baseline, a second reader.
export type { Check, Finding, Level, Violation } from './verify/check.js';
export { CHECKS } from './verify/checks.js';
export type { Expectation, VerifyInput } from './verify/finding.js';
export { type SecondOpinion, secondReader } from './verify/second-reader.js';
export { verifyImage } from './verify/verify.js';
/** The version of this package. */
export { VERSION } from './version.js';
