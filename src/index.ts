/**
 * The library: the stages of the command as functions over plain values. Nothing here prints or ends the process; what
 * cannot be done is a PatchError with a stable id.
 *
 * ```ts
 * import { FileSource, parseSetting, planPatch, readElf, writePatch } from 'xen-elfpatch';
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
import './base/platform/node.js';

// Open: bytes by range, each read checked against the size of the file.
export { FileSource } from './base/bytes/file-source.js';
// Ports: what the core needs of the platform; Node's are installed by importing the library.
export {
  type Hasher,
  type Inflated,
  installPorts,
  type OpenFile,
  type Ports,
  type ProgramResult,
} from './base/bytes/ports.js';
export type { Range } from './base/bytes/range.js';
export type { SecondParser } from './base/bytes/second-parser.js';
export {
  BufferSource,
  type ByteSource,
  type BytesAt,
  type Copied,
  OverlaySource,
  type Write,
} from './base/bytes/source.js';
// Errors: one class, one catalogue.
export { PatchError, type Place } from './base/errors/patch-error.js';
export { PROBLEMS, type ProblemId } from './base/errors/problems.js';
/** The version of this package. */
export { VERSION } from './base/version.js';
// Documents: the types of everything that --json prints and --record writes.
export type * from './documents.js';
export {
  type ContainerOptions,
  type ContainerPlan,
  containerChanges,
  planContainer,
  planInside,
  writeContainer,
} from './edit/container/pipeline.js';
export {
  changes,
  expectationOf,
  type PatchPlan,
  planPatch,
  planUnchanged,
  sameAsPlanned,
  type WriteOptions,
  type Written,
  withoutSignature,
  writePatch,
} from './edit/elf/pipeline.js';
// Plan, lay out, write: from options to a file that was read back and proved.
export type { Layout, Refusal, Survival } from './edit/elf/placement/layout.js';
export { MOST_HEADERS, refuseTooManyHeaders } from './edit/elf/plan/most-headers.js';
export {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementName,
  type PlacementOptions,
  SURVIVORS,
  type Survivor,
  type SurvivorWish,
  TRIED,
  type Tried,
} from './edit/elf/plan/placement-options.js';
// The result of a plan as bytes to read, before anything is written.
export { preview } from './edit/elf/render.js';
// Fix: from what loaders say of an image to the smallest edit that makes them take it.
export { type Candidate, stepWords } from './edit/fix/candidates.js';
export { type ProvedVerdict, proveCure } from './edit/fix/cure.js';
export { type Diagnosis, type FoundFix, findFix, targetsOf } from './edit/fix/fix.js';
// Linearize: a PE image that UEFI and Multiboot2 both load.
export { layOutLinear } from './edit/linear/lay-out.js';
export type { LinearLayout } from './edit/linear/layout.js';
export { DEFAULT_LINEAR_OPTIONS, type LinearOptions } from './edit/linear/options.js';
export {
  changesLinear,
  type LinearWritten,
  proveLinear,
  writeLinear,
} from './edit/linear/pipeline.js';
// mkelf32: a new 32-bit file around the contents of a linked hypervisor.
export type { Container as Mkelf32Container } from './edit/mkelf32/container.js';
export { type OriginalRequest, planOriginal } from './edit/mkelf32/mkelf32.js';
export { planTidy, type TidyRequest } from './edit/mkelf32/tidy.js';
export { VARIANTS, type Variant, variantOf } from './edit/mkelf32/variants.js';
export { writeMkelf32 } from './edit/mkelf32/write.js';
export { layOutStamped, type PeStampLayout } from './edit/pe/lay-out.js';
export { changesPe, type PeWritten, proveStamped, writePeStamp } from './edit/pe/pipeline.js';
export { type PeStamps, peStampsOf } from './edit/pe/stamps.js';
export type { PeStampWish } from './edit/pe/wish.js';
// Stamp: package metadata, build-ids, notes of any owner, where no loader stops taking the image.
export { type Algorithm, type BuildIdWish, computeBuildId, parseBuildId } from './edit/stamp/build-id.js';
export { sourceDate } from './edit/stamp/date.js';
export { type NoteKey, parseNote, parseNoteKey } from './edit/stamp/note-words.js';
export { type Metadata, metadataProblem, parseMetadata } from './edit/stamp/package-metadata.js';
export {
  asksForEdits,
  planStamp,
  type Stamp,
  type StampWish,
  stampsOf,
} from './edit/stamp/stamp.js';
// Explain and report: what the command says, as data.
export { explainTopic, indexTopic, type Topic, topicNames } from './explain/index.js';
// Containers: the ELF inside a gzip file or a bzImage, and notes written back into it.
export { type ContainerFacts, containerText } from './formats/container/facts.js';
export { type Opened, type OpenedContainer, openContainer } from './formats/container/open.js';
export { type Recognised, recognise } from './formats/container/recognise.js';
// Read: headers to an ElfImage, extended numbering included.
export type { Ehdr, Phdr, Shdr } from './formats/elf/headers.js';
export type { ElfImage } from './formats/elf/image.js';
export { looksLikeElf, readElf } from './formats/elf/read.js';
export { sectionName } from './formats/elf/section-names.js';
export type { Encoding } from './formats/elf/struct.js';
export { hasLinuxMagic } from './formats/linux/boot-header.js';
// Notes: where they are, what they say, what loaders make of them.
export { type NoteArea, noteAreas } from './formats/note/areas.js';
export {
  decodeValue,
  encodeList,
  encodeNumber,
  encodeString,
  type NoteValue,
} from './formats/note/desc.js';
export { checkFeatures } from './formats/note/features.js';
export type { Fix, HeaderRepair, ImageFix, LinearFix, SbatFix, WrapperChange } from './formats/note/fix.js';
export { type CommandContext, fixCommand } from './formats/note/fix-command.js';
export { FDO, GNU, LINUX, XEN } from './formats/note/note-types.js';
export {
  encodeNotes,
  type NoteContent,
  type NoteRecord,
  type NoteWalk,
  ownerOf,
  sameNote,
  walkNotes,
  xenNote,
} from './formats/note/record.js';
export { loadSpec, parseSpec, type Spec } from './formats/note/spec-file.js';
export { parseSetting, type Setting, type ValueExpr } from './formats/note/value.js';
export {
  noteInfo,
  type ParsedNoteName,
  parseNoteName,
  XEN_NOTES,
  type XenNoteInfo,
  type XenNoteName,
} from './formats/note/xen-notes.js';
export type { PeImage, PeSection } from './formats/pe/image.js';
export { isPlainPe } from './formats/pe/kind.js';
export { looksLikePe, readPe } from './formats/pe/read.js';
export { readSbat, type SbatReading, type SbatRow } from './formats/pe/sbat.js';
// Diff: what differs between two images, entry by entry and byte by byte.
export type { ByteComparison, ByteDifference, ByteGroup } from './inspect/diff/bytes.js';
export { diffImages, type ImageDifference } from './inspect/diff/diff.js';
export type { EntryDifference, FieldDifference } from './inspect/diff/fields.js';
export type { NoteDifference, NoteSeen } from './inspect/diff/notes.js';
export { diffPe, type PeDifference } from './inspect/diff/pe-diff.js';
export type { FilePlace } from './inspect/diff/places.js';
// Layout: the file and memory map, as data and as a picture.
export type { Band, BandKind } from './inspect/map/bands.js';
export { type ImageMap, imageMap } from './inspect/map/image-map.js';
export type { MemoryBand, MemoryNote } from './inspect/map/memory.js';
export { peMap } from './inspect/map/pe-map.js';
export { elfSizes, type ImageSizes, type OwnerSize, peSizes, type SizeRow } from './inspect/map/sizes.js';
export { mapSvg } from './inspect/map/svg.js';
export { type NoteFact, type NotesFacts, notesFacts } from './inspect/notes/notes-facts.js';
export type { XenVerdict } from './inspect/notes/xen-verdicts.js';
export { judgeLoaders, LOADERS, type Lost, lostLoaders } from './loaders/loaders.js';
// Loaders: what they are called; would they start the image, by which rules, with which values?
export {
  LOADER_NAMES,
  LOADER_ROWS,
  type LoaderName,
  type LoaderRow,
  releaseOf,
  rowTargets,
  TARGET_NAMES,
  type Target,
  targetOf,
} from './loaders/names.js';
export { type LegacyString, legacyToNotes, readLegacy } from './loaders/read/legacy.js';
export { walkAsXen, type XenView, type XenViewNote } from './loaders/read/loader-walks.js';
export { type PhysEntry, physEntryAsLinuxLoader, physEntryAsQemu } from './loaders/read/phys-entry.js';
export { formatReadnotes, type ReadnotesOutput } from './loaders/read/readnotes.js';
export { accepts, type Loader, type Remark, type RuleReport, type Verdict } from './loaders/rule.js';
export {
  type Evidence,
  newestVersion,
  type Product,
  type Release,
  releasesOf,
  resolveVersion,
} from './loaders/versions.js';
export { NEWEST_XEN, parseXenVersion, XEN_VERSIONS, type XenVersion } from './loaders/xen-version.js';
// One call each: the work of a command on a file.
export {
  type FileResult,
  type FixFileResult,
  fixFile,
  notesOf,
  type PatchFileOptions,
  patchFile,
  type VerifyFileOptions,
  type VerifyFileResult,
  verifyFile,
} from './one-call.js';
// Report: the same facts as text for people (styleOf(false): without colours) and as members of the promised documents.
export { diffJson, diffText } from './report/diff-report.js';
export { fixJson, fixText } from './report/fix-report.js';
export { type Json, jsonDocument } from './report/json.js';
export { mapJson } from './report/map-json.js';
export { mapComparison, mapText } from './report/map-text.js';
export { notesJson, notesText } from './report/notes-report.js';
export { type Outcome, otherNotesJson, patchJson, patchText } from './report/patch-report.js';
export { peDiffJson, peDiffText } from './report/pe-diff-report.js';
export { sizesJson, sizesText } from './report/sizes-report.js';
export { stampsJson, stampsText } from './report/stamp-report.js';
export { type Style, styleOf } from './report/text.js';
// Verify: the laws of the format, conservation against a baseline, a second reader.
export type { Check, Finding, Level, Violation } from './verify/check.js';
export { CHECKS } from './verify/elf/checks.js';
export { verifyImage } from './verify/elf/verify.js';
export type { Expectation, VerifyInput } from './verify/finding.js';
export { type LinearVerdict, verifyLinear, verifyPe } from './verify/pe/verify.js';
export { type SecondOpinion, secondReader } from './verify/second-reader.js';
export type { WholeOptions as LinearWriteOptions, WholeOptions as PeWriteOptions } from './write/whole.js';
