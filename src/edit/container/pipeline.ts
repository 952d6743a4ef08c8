/**
 * Notes inside a container: open → plan on the ELF alone → put the container together again → write → open the result
 * from scratch and judge it. The ELF goes through the same passes as a bare one; nothing there knows of containers.
 */
import { FileSource } from '../../base/bytes/file-source.js';
import { JoinedSource } from '../../base/bytes/joined.js';
import { rangeOf } from '../../base/bytes/range.js';
import { changedSource } from '../../base/bytes/shifted.js';
import { BufferSource, type ByteSource } from '../../base/bytes/source.js';
import { fail, PatchError } from '../../base/errors/patch-error.js';
import type { ContainerFacts } from '../../formats/container/facts.js';
import { packGzip } from '../../formats/container/gzip.js';
import { type OnProgress, readWhole } from '../../formats/container/limits.js';
import {
  type Opened,
  type OpenedContainer,
  type OpenedGzip,
  openContainer,
  wholeOf,
} from '../../formats/container/open.js';
import type { PayloadAction } from '../../formats/container/payload-action.js';
import { formatDemands } from '../../formats/container/stream-requirements.js';
import { readElf } from '../../formats/elf/read.js';
import type { Finding } from '../../verify/check.js';
import { judgeBzImage, judgeGzip } from '../../verify/container/checks.js';
import { sameBytes } from '../../verify/container/differences.js';
import { RESULT_CHECKS } from '../../verify/container/result-checks.js';
import type { Agreement } from '../../verify/elf/proof.js';
import { refuseErrors } from '../../verify/refuse-errors.js';
import { changedInput } from '../../write/content.js';
import { deliver } from '../../write/deliver.js';
import { changes, type PatchPlan, planPatch, provePatch, UNTOUCHED, type Written } from '../elf/pipeline.js';
import { refuseTooManyHeaders } from '../elf/plan/most-headers.js';
import type { Edit, PlacementOptions } from '../elf/plan/placement-options.js';
import { preview } from '../elf/render.js';
import { attach, detach, stripSignature } from './attach.js';
import type { Rebuilt } from './rebuilt.js';
import { replace } from './replace.js';

/** What the user decides about the container of a kernel. */
export interface ContainerOptions {
  /** Undefined: attach for a bzImage; a gzip file stays one. */
  readonly way: PayloadAction | undefined;
  readonly stripSignature: boolean;
  /** replace: the program that packs. extract: `gzip` for an ELF.gz. */
  readonly compressor: string | undefined;
  /** extract: keep what stands behind the ELF. */
  readonly keepTail: boolean;
}

/** A planned edit of a container: everything that is to be written and what the result is held against. */
export interface ContainerPlan {
  readonly opened: OpenedContainer;
  readonly source: ByteSource;
  readonly way: PayloadAction | 'strip' | 'gzip';
  /** The edit of the ELF inside; undefined for detach. */
  readonly elf: PatchPlan | undefined;
  /** What the result shall unpack to; for extract, what it shall be. Undefined for detach. */
  readonly wanted: ByteSource | undefined;
  readonly rebuilt: Rebuilt;
  readonly warnings: readonly string[];
}

/** Does the plan change a byte of the file? */
export function containerChanges({ rebuilt, source }: ContainerPlan): boolean {
  return rebuilt.writes.length > 0 || rebuilt.fileSize !== source.size;
}

/**
 * Plans the notes of the ELF inside a container. Writes nothing and compresses nothing.
 * Errors: those of planPatch, `plan.too-many-headers`; places are offsets in the unpacked ELF.
 */
export function planInside(opened: OpenedContainer, edits: readonly Edit[], options: PlacementOptions): PatchPlan {
  const image = readElf(opened.elf);
  refuseTooManyHeaders(image);
  return planPatch(image, edits, options);
}

/** Work that takes a while, told as it goes. */
export type Steps = (step: 'unpacking' | 'packing' | 'comparing') => OnProgress;

/**
 * Puts the container together again around a planned ELF. Nothing is written.
 * Errors: `container.wrong-way`, `container.bare-stream`, `gzip.members`, `gzip.trailing`, `pe.*`, `bzimage.*`, `codec.*`.
 */
export async function planContainer(
  source: ByteSource,
  opened: OpenedContainer,
  elf: PatchPlan | undefined,
  options: ContainerOptions,
  steps?: Steps,
): Promise<ContainerPlan> {
  const way = wayFor(opened, options);
  const wanted = elf === undefined ? undefined : newData(opened, elf, way === 'extract' && !options.keepTail);
  const rebuilt = await rebuild(source, opened, elf, wanted, way, options, steps?.('packing'));
  const warnings = [...opened.facts.warnings, ...(elf?.warnings ?? []), ...rebuilt.warnings];
  const rewrites = way === 'attach' || way === 'replace';
  const stripsOnly = rewrites && elf !== undefined && !changes(elf);
  return { opened, source, way: stripsOnly ? 'strip' : way, elf, wanted, rebuilt, warnings };
}

function wayFor(opened: OpenedContainer, options: ContainerOptions): PayloadAction | 'gzip' {
  if (opened.kind === 'bzimage') return options.way ?? 'attach';
  if (options.way === 'extract') return options.way;
  const { file } = opened.facts;
  if (opened.kind === 'stream') return fail('container.bare-stream', { file }, { format: opened.facts.format });
  if (options.way === undefined) return 'gzip';
  const why = 'the ELF is all there is in it';
  return fail('container.wrong-way', { file }, { way: options.way, found: 'a gzip file', why });
}

/** What the result will be wrapped in when the ELF inside changes; undefined: in nothing. */
export function factsAfter(
  { facts, elf }: Pick<OpenedContainer, 'facts' | 'elf'>,
  options: ContainerOptions,
): ContainerFacts | undefined {
  const clean = { ...facts, format: 'gzip', demands: [], warnings: [] } as const;
  const gzip = { kind: 'gzip', behind: { kind: 'nothing', size: 0n }, flags: 0 } as const;
  if (options.way === 'extract') {
    return options.compressor === undefined ? undefined : { ...clean, ...gzip, lastWord: elf.size };
  }
  switch (facts.kind) {
    case 'gzip':
      return { ...clean, ...gzip, lastWord: facts.unpackedSize };
    case 'stream':
      return facts;
    case 'bzimage': {
      const { protocol, signed, format } = facts;
      const bzImage = { ...clean, kind: 'bzimage', protocol, signed, spare: 0n } as const;
      if (options.way !== 'replace') return { ...bzImage, attached: true };
      // Packed anew as every reader takes it that has the format at all.
      return { ...bzImage, format, attached: false, demands: formatDemands(format) };
    }
  }
}

/** The patched ELF with the old tail behind it. */
function newData({ elf: before, tail }: OpenedContainer, elf: PatchPlan, withoutTail: boolean): ByteSource {
  const after = changes(elf) ? preview(elf.image, elf.rendered) : before;
  return withoutTail || tail.length === 0 ? after : new JoinedSource(after, new BufferSource(tail));
}

function bytesOf(data: ByteSource): Uint8Array {
  return readWhole(data, rangeOf(0n, data.size), 'patched ELF');
}

async function rebuild(
  source: ByteSource,
  opened: OpenedContainer,
  elf: PatchPlan | undefined,
  wanted: ByteSource | undefined,
  way: PayloadAction | 'gzip',
  options: ContainerOptions,
  onProgress: OnProgress | undefined,
): Promise<Rebuilt> {
  if (way === 'extract') return extract(wanted ?? opened.elf, options, onProgress);
  if (opened.kind === 'stream') throw new TypeError('a bare stream is never rewritten');
  if (opened.kind === 'gzip') return rewriteGzip(source, opened, elf, wanted, onProgress);
  const { image } = opened;
  if (way === 'detach') return detach(image, options.stripSignature);
  if (elf === undefined || wanted === undefined || !changes(elf)) {
    return options.stripSignature && opened.facts.signed ? stripSignature(image) : untouched(source);
  }
  if (way === 'attach') return attach(image, wanted, options.stripSignature, onProgress);
  const next = { image: elf.image, tail: opened.tail, oldSize: opened.unpacked.length, data: wanted };
  return replace(image, next, { strip: options.stripSignature, compressor: options.compressor, onProgress });
}

function untouched(source: ByteSource): Rebuilt {
  return { writes: [], fileSize: source.size, summary: 'nothing to change', warnings: [] };
}

async function rewriteGzip(
  source: ByteSource,
  { facts }: OpenedGzip,
  elf: PatchPlan | undefined,
  wanted: ByteSource | undefined,
  onProgress: OnProgress | undefined,
): Promise<Rebuilt> {
  if (elf === undefined || wanted === undefined || !changes(elf)) return untouched(source);
  const at = facts.stream.end;
  const place = { file: facts.file, offset: at };
  if (facts.behind.kind === 'member') fail('gzip.members', place, { at });
  if (facts.behind.kind === 'other') fail('gzip.trailing', place, { at, size: facts.behind.size });
  const bytes = await packGzip(wanted, onProgress);
  return wholeFile(bytes, `compressed again as gzip (${bytes.length} bytes)`);
}

async function extract(
  data: ByteSource,
  { compressor }: ContainerOptions,
  onProgress: OnProgress | undefined,
): Promise<Rebuilt> {
  if (compressor === undefined) return wholeFile(bytesOf(data), `the ELF alone (${data.size} bytes)`);
  const bytes = await packGzip(data, onProgress);
  return wholeFile(bytes, `the ELF alone, as gzip (${bytes.length} bytes)`);
}

function wholeFile(bytes: Uint8Array, summary: string): Rebuilt {
  return { writes: [{ offset: 0n, bytes }], fileSize: BigInt(bytes.length), summary, warnings: [] };
}

/** The result as a source, before a byte of it is written. */
export function containerPreview({ source, rebuilt: { writes, fileSize } }: ContainerPlan): ByteSource {
  return changedSource(source, { writes, shift: undefined, fileSize });
}

/**
 * Writes the result beside the target, opens it from scratch, judges it, and only then lets it take the target's place.
 * Errors: `write.*`, `read.changed`, `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writeContainer(
  plan: ContainerPlan,
  options: {
    readonly inputPath: string;
    readonly output: string | undefined;
    /** Nothing is written where the way of writing would mean something for others (`write.warned`). */
    readonly strict?: boolean | undefined;
    readonly steps?: Steps | undefined;
  },
): Promise<Written> {
  const { source, rebuilt } = plan;
  if (!(source instanceof FileSource)) throw new TypeError('writeContainer needs an image that was read from a file');
  const { inputPath, output, strict, steps } = options;
  const changed = { writes: rebuilt.writes, shift: undefined, fileSize: rebuilt.fileSize };
  const { how, proof, warnings } = await deliver({
    source,
    inputPath,
    output,
    changes: containerChanges(plan),
    strict,
    // Lengths and checksums in several places hang together: no one small write makes the new file.
    content: changedInput(source, inputPath, changed, undefined, undefined),
    prove: (result) => proveContainer(plan, result, steps),
  });
  return { how, secondReader: proof ?? UNTOUCHED.secondReader, warnings };
}

/** Judges a result as read back: the container by its laws, the ELF in it as any patched ELF. Errors: `verify.*`. */
export async function proveContainer(plan: ContainerPlan, result: ByteSource, steps?: Steps): Promise<Agreement> {
  const after = await reopen(result, steps);
  refuseErrors(breachesOf(plan, after).map((breach) => ({ ...breach, level: 'error', place: { file: result.name } })));
  if (plan.elf === undefined) return { verdict: 'agrees', details: [] };
  // What the planner made of the ELF, without what stands behind it.
  const size = Number(plan.elf.rendered.fileSize);
  const elf =
    after.kind !== 'elf'
      ? new BufferSource(after.unpacked.subarray(0, size), after.elf.name)
      : after.elf.size === BigInt(size)
        ? after.elf
        : new BufferSource(readWhole(after.elf, rangeOf(0n, BigInt(size)), 'result'), after.elf.name);
  return provePatch(plan.elf, readElf(elf), steps?.('comparing'));
}

/** A result that cannot be opened is a result that proved wrong, whatever is wrong with it. */
async function reopen(result: ByteSource, steps: Steps | undefined): Promise<Opened> {
  try {
    return await openContainer(result, { onProgress: steps?.('unpacking') });
  } catch (error) {
    if (!(error instanceof PatchError) || error.id === 'codec.missing') throw error;
    return fail(
      'verify.failed',
      { file: result.name },
      { check: RESULT_CHECKS.opens.name, text: error.detail, more: 0 },
      error,
    );
  }
}

function breachesOf(plan: ContainerPlan, after: Opened): Pick<Finding, 'check' | 'text'>[] {
  const { opened, way } = plan;
  if (way === 'extract') return extracted(plan, after);
  if (opened.kind === 'gzip' && after.kind === 'gzip') {
    return judgeGzip({ before: opened, after, wanted: plan.wanted ?? wholeOf(opened) });
  }
  if (opened.kind === 'bzimage' && after.kind === 'bzimage' && way !== 'gzip') {
    return judgeBzImage(way, { before: opened, after, wanted: plan.wanted ?? wholeOf(after) });
  }
  return [{ check: RESULT_CHECKS.kindKept.name, text: `the result is ${after.kind}, wanted ${opened.kind}` }];
}

function extracted({ opened, rebuilt, wanted }: ContainerPlan, after: Opened): Pick<Finding, 'check' | 'text'>[] {
  const right = after.kind === 'elf' || after.kind === 'gzip';
  if (right && sameBytes(wholeOf(after), wanted ?? opened.elf)) return [];
  return [
    { check: RESULT_CHECKS.extracted.name, text: `the result is not the ELF that was wanted (${rebuilt.summary})` },
  ];
}
