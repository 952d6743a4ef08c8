/**
 * Notes inside a container: open → plan on the ELF alone → put the container together again → write → open the result
 * from scratch and judge it. The ELF goes through the same passes as a bare one; nothing there knows of containers.
 */
import { realpathSync, statSync } from 'node:fs';
import { rangeOf } from './bytes/range.js';
import { BufferSource, type ByteSource, FileSource } from './bytes/source.js';
import { attach, detach, stripSignature } from './container/attach.js';
import { type Breach, judgeBzImage, judgeGzip } from './container/checks.js';
import { packGzip } from './container/gzip.js';
import { readWhole } from './container/limits.js';
import { type Opened, type OpenedContainer, type OpenedGzip, openContainer } from './container/open.js';
import type { Rebuilt, Way } from './container/rebuilt.js';
import { replace } from './container/replace.js';
import type { ElfImage } from './elf/image.js';
import { readElf } from './elf/read.js';
import { fail } from './errors/patch-error.js';
import { changes, expectationOf, type PatchPlan, planPatch } from './pipeline.js';
import type { Edit, PlacementWish } from './plan/edits.js';
import { secondReader } from './verify/second-reader.js';
import { verifyImage } from './verify/verify.js';
import { lock } from './write/lock.js';
import { preview } from './write/render.js';

export interface ContainerWish {
  /** Undefined: attach for a bzImage; a gzip file stays one. */
  readonly way: Way | undefined;
  readonly stripSignature: boolean;
  /** replace: the program that packs. extract: `gzip` for an ELF.gz. */
  readonly compressor: string | undefined;
  /** extract: keep what stands behind the ELF. */
  readonly keepTail: boolean;
}

export interface ContainerPlan {
  readonly opened: OpenedContainer;
  readonly source: ByteSource;
  readonly way: Way | 'strip' | 'gzip';
  /** The edit of the ELF inside; undefined for detach. */
  readonly elf: PatchPlan | undefined;
  /** What the result shall unpack to; for extract, what it shall be. Undefined for detach. */
  readonly wanted: Uint8Array | undefined;
  readonly rebuilt: Rebuilt;
  readonly warnings: readonly string[];
}

/** Does the plan change a byte of the file? */
export function containerChanges({ rebuilt, source }: ContainerPlan): boolean {
  return rebuilt.writes.length > 0 || rebuilt.fileSize !== source.size;
}

/**
 * Plans the notes of the ELF inside a container. Writes nothing and compresses nothing.
 * Errors: those of planPatch; places are offsets in the unpacked ELF.
 */
export function planInside(opened: OpenedContainer, edits: readonly Edit[], wish: PlacementWish): PatchPlan {
  return planPatch(readElf(opened.elf), edits, wish);
}

/**
 * Puts the container together again around a planned ELF. Nothing is written.
 * Errors: `container.wrong-way`, `gzip.members`, `gzip.trailing`, `pe.*`, `bzimage.*`, `codec.*`.
 */
export async function planContainer(
  source: ByteSource,
  opened: OpenedContainer,
  elf: PatchPlan | undefined,
  wish: ContainerWish,
): Promise<ContainerPlan> {
  const way = wayFor(opened, wish);
  const wanted = elf === undefined ? undefined : newData(opened, elf, way === 'extract' && !wish.keepTail);
  const rebuilt = await rebuild(source, opened, elf, wanted, way, wish);
  const warnings = [...opened.facts.warnings, ...(elf?.warnings ?? []), ...rebuilt.warnings];
  const rewrites = way === 'attach' || way === 'replace';
  const stripsOnly = rewrites && elf !== undefined && !changes(elf);
  return { opened, source, way: stripsOnly ? 'strip' : way, elf, wanted, rebuilt, warnings };
}

function wayFor(opened: OpenedContainer, wish: ContainerWish): Way | 'gzip' {
  if (opened.kind === 'bzimage') return wish.way ?? 'attach';
  if (wish.way === undefined || wish.way === 'extract') return wish.way ?? 'gzip';
  const why = 'the ELF is all there is in it';
  return fail('container.wrong-way', { file: opened.facts.file }, { way: wish.way, found: 'a gzip file', why });
}

/** The patched ELF with the old tail behind it, in one buffer. */
function newData({ tail, unpacked }: OpenedContainer, elf: PatchPlan, withoutTail: boolean): Uint8Array {
  if (!changes(elf)) return withoutTail ? unpacked.subarray(0, unpacked.length - tail.length) : unpacked;
  const result = preview(elf.image, elf.rendered);
  const size = Number(result.size);
  const data = new Uint8Array(size + (withoutTail ? 0 : tail.length));
  result.readInto(0n, data.subarray(0, size), 'patched ELF');
  if (!withoutTail) data.set(tail, size);
  return data;
}

async function rebuild(
  source: ByteSource,
  opened: OpenedContainer,
  elf: PatchPlan | undefined,
  wanted: Uint8Array | undefined,
  way: Way | 'gzip',
  wish: ContainerWish,
): Promise<Rebuilt> {
  if (way === 'extract') return extract(wanted ?? opened.unpacked, wish);
  if (opened.kind === 'gzip') return rewriteGzip(source, opened, elf, wanted ?? opened.unpacked);
  const { image } = opened;
  if (way === 'detach') return detach(image, wish.stripSignature);
  if (elf === undefined || wanted === undefined || !changes(elf)) {
    return wish.stripSignature && opened.facts.signed ? stripSignature(image) : untouched(source);
  }
  if (way === 'attach') return attach(image, wanted, wish.stripSignature);
  const next = { image: elf.image, tail: opened.tail, oldSize: opened.unpacked.length, data: wanted };
  return replace(image, next, { strip: wish.stripSignature, compressor: wish.compressor });
}

function untouched(source: ByteSource): Rebuilt {
  return { writes: [], fileSize: source.size, summary: 'nothing to change', warnings: [] };
}

async function rewriteGzip(
  source: ByteSource,
  { facts }: OpenedGzip,
  elf: PatchPlan | undefined,
  wanted: Uint8Array,
): Promise<Rebuilt> {
  if (elf === undefined || !changes(elf)) return untouched(source);
  const at = facts.stream.end;
  const place = { file: facts.file, offset: at };
  if (facts.behind.kind === 'member') fail('gzip.members', place, { at });
  if (facts.behind.kind === 'other') fail('gzip.trailing', place, { at, size: facts.behind.size });
  const bytes = await packGzip(wanted);
  return wholeFile(bytes, `compressed again as gzip (${bytes.length} bytes)`);
}

async function extract(data: Uint8Array, { compressor }: ContainerWish): Promise<Rebuilt> {
  if (compressor === undefined) return wholeFile(data, `the ELF alone (${data.length} bytes)`);
  const bytes = await packGzip(data);
  return wholeFile(bytes, `the ELF alone, as gzip (${bytes.length} bytes)`);
}

function wholeFile(bytes: Uint8Array, summary: string): Rebuilt {
  return { writes: [{ offset: 0n, bytes }], fileSize: BigInt(bytes.length), summary, warnings: [] };
}

export interface ContainerWritten {
  readonly how: 'unchanged' | 'clone';
  readonly secondReader: { readonly verdict: 'agrees' | 'cannot-read'; readonly details: readonly string[] };
}

/**
 * Writes the result beside the target, opens it from scratch, judges it, and only then lets it take the target's place.
 * Errors: `write.*`, `read.changed`, `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writeContainer(
  plan: ContainerPlan,
  options: { readonly inputPath: string; readonly output: string | undefined },
): Promise<ContainerWritten> {
  const { source } = plan;
  if (!(source instanceof FileSource)) throw new TypeError('writeContainer needs an image that was read from a file');
  const { inputPath, output } = options;
  if (output === undefined) {
    if ((source.stats.mode & 0o222) === 0) fail('write.read-only', { file: source.name }, {});
    if (!containerChanges(plan)) return { how: 'unchanged', secondReader: { verdict: 'agrees', details: [] } };
    const target = realpathSync(inputPath);
    const unlock = lock(target, source.name);
    try {
      return await write(plan, source, inputPath, target, source.name);
    } finally {
      unlock();
    }
  }
  const existing = statSync(output, { throwIfNoEntry: false });
  if (existing !== undefined && existing.ino === source.stats.ino && existing.dev === source.stats.dev) {
    fail('write.same-file', { file: output }, { input: source.name });
  }
  if (existing !== undefined && !existing.isFile()) {
    fail('write.not-a-file', { file: output }, { kind: existing.isDirectory() ? 'folder' : 'device or pipe' });
  }
  return write(plan, source, inputPath, existing === undefined ? output : realpathSync(output), output);
}

async function write(
  plan: ContainerPlan,
  source: FileSource,
  inputPath: string,
  target: string,
  targetName: string,
): Promise<ContainerWritten> {
  const { writeClone } = await import('./write/clone.js');
  const { writes, fileSize } = plan.rebuilt;
  const planned = writes.map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length)));
  let opinion: ContainerWritten['secondReader'] = { verdict: 'agrees', details: [] };
  await writeClone(
    source,
    { writes, fileSize, shift: undefined, planned },
    {
      inputPath,
      target,
      targetName,
      check: async (path) => {
        const copy = FileSource.open(path, targetName);
        try {
          opinion = await proveContainer(plan, copy);
        } finally {
          copy.close();
        }
      },
    },
  );
  return { how: 'clone', secondReader: opinion };
}

/** Judges a result as read back: the container by its laws, the ELF in it as any patched ELF. Errors: `verify.*`. */
export async function proveContainer(
  plan: ContainerPlan,
  result: ByteSource,
): Promise<ContainerWritten['secondReader']> {
  const after = await openContainer(result);
  const breaches = breachesOf(plan, after);
  const [first] = breaches;
  if (first !== undefined) {
    fail('verify.failed', { file: result.name }, { check: first.check, text: first.text, more: breaches.length - 1 });
  }
  if (plan.elf === undefined) return { verdict: 'agrees', details: [] };
  const data = after.kind === 'elf' ? readWhole(after.elf, rangeOf(0n, after.elf.size), 'result') : after.unpacked;
  // What the planner made of the ELF, without what stands behind it.
  const elf = data.subarray(0, Number(plan.elf.rendered.fileSize));
  return proveElf(plan.elf, readElf(new BufferSource(elf, after.elf.name)));
}

function breachesOf(plan: ContainerPlan, after: Opened): Breach[] {
  const { opened, way } = plan;
  const wanted = plan.wanted ?? (after.kind === 'elf' ? opened.unpacked : after.unpacked);
  if (way === 'extract') return extracted(plan, after, wanted);
  if (opened.kind === 'gzip' && after.kind === 'gzip') return judgeGzip({ before: opened, after, wanted });
  if (opened.kind === 'bzimage' && after.kind === 'bzimage' && way !== 'gzip') {
    return judgeBzImage(way, { before: opened, after, wanted });
  }
  return [{ check: 'container-kind-kept', text: `the result is ${after.kind}, wanted ${opened.kind}` }];
}

function extracted({ rebuilt }: ContainerPlan, after: Opened, wanted: Uint8Array): Breach[] {
  const data = after.kind === 'elf' ? readWhole(after.elf, rangeOf(0n, after.elf.size), 'result') : after.unpacked;
  if (Buffer.compare(data, wanted) !== 0 || (after.kind !== 'elf' && after.kind !== 'gzip')) {
    return [{ check: 'container-extracted', text: `the result is not the ELF that was wanted (${rebuilt.summary})` }];
  }
  return [];
}

async function proveElf(elf: PatchPlan, image: ElfImage): Promise<ContainerWritten['secondReader']> {
  const findings = verifyImage({ image, baseline: elf.image, expectation: expectationOf(elf) }).filter(
    ({ level }) => level === 'error',
  );
  const [first] = findings;
  if (first !== undefined) {
    fail('verify.failed', first.place, { check: first.check, text: first.text, more: findings.length - 1 });
  }
  const opinion = await secondReader(image);
  if (opinion.verdict === 'differs') {
    fail('verify.second-reader', { file: image.source.name }, { details: opinion.details.join('; ') });
  }
  return { verdict: opinion.verdict, details: opinion.details };
}
