/** Programs that tests edit in process and start: what a run shows, and results of plans as files that can be run. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { changes, expectationOf, type PatchPlan } from '../../src/edit/elf/pipeline.js';
import { PLACEMENTS } from '../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../src/edit/elf/render.js';
import { planStamp, type StampWish } from '../../src/edit/stamp/stamp.js';
import type { Phdr } from '../../src/formats/elf/headers.js';
import { type ElfImage, ehdrSize, loads, phdrTable } from '../../src/formats/elf/image.js';
import { PT_NULL } from '../../src/formats/elf/names.js';
import { readElf } from '../../src/formats/elf/read.js';
import { noteAreas } from '../../src/formats/note/areas.js';
import { FDO_PACKAGING_METADATA } from '../../src/formats/note/note-types.js';
import { ownerOf } from '../../src/formats/note/record.js';
import { verifyImage } from '../../src/verify/elf/verify.js';

/** What a run shows to whoever started it. */
export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run with an empty standard input, to its end or for a minute; `argv0` is the name that the program believes it has. */
export function outcome(path: string, args: readonly string[] = [], argv0: string = path): Outcome {
  const run = spawnSync(path, args, { encoding: 'utf8', argv0, input: '', timeout: 60_000, env: ENV });
  if (run.error !== undefined && run.signal === null) throw run.error;
  const { status, signal, stdout, stderr } = run;
  return { status, signal, stdout, stderr };
}

const ENV = { PATH: process.env['PATH'], LC_ALL: 'C' };

/** What no edit may change: notes are told in the order of the program headers, which is nobody's, so lines are sorted. */
export function told({ status, signal, stdout }: Outcome) {
  return { status, signal, lines: stdout.split('\n').sort() };
}

export const imageAt = (path: string) => readElf(new BufferSource(readFileSync(path), path));

/** The plan, with its verified result at `path`; undefined and no file where the plan was refused. */
export function writtenTo(path: string, plan: () => PatchPlan): PatchPlan | undefined {
  try {
    const done = plan();
    const result = preview(done.image, done.rendered);
    writeFileSync(path, result.read(0n, result.size, 'test'));
    chmodSync(path, 0o755);
    const findings = verifyImage({ image: imageAt(path), baseline: done.image, expectation: expectationOf(done) });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    return done;
  } catch (error) {
    if (error instanceof PatchError && /^plan\.(impossible|program)$/.test(error.id)) return undefined;
    throw error;
  }
}

/** What `stamp --package-metadata name=NAME` asks for. */
export function stampWith(name: string, placement: StampWish['placement'] = {}): StampWish {
  return { metadata: { name }, members: {}, buildId: undefined, notes: [], remove: [], placement };
}

/** What `stamp --remove FDO:…` asks for: the stamp goes again. */
export const UNSTAMP: StampWish = {
  ...stampWith(''),
  metadata: undefined,
  remove: [{ owner: 'FDO', type: FDO_PACKAGING_METADATA }],
};

/** What a program is, and how a file with that name is run. */
export interface Tried {
  readonly path: string;
  run(path: string): Outcome;
  /** Does it tell the notes of other owners than GNU on standard error? */
  readonly tellsNotes: boolean;
}

/**
 * A stamp by every placement, the same again, a longer one, and the undo: what the program shows on standard output and how
 * it ends is the same after each. Answers the placements that took it.
 */
export function throughPlacements({ path, run, tellsNotes }: Tried, out: string): readonly string[] {
  const before = run(path);
  expect(before.signal).toBeNull();
  const same = (step: string) => {
    const ran = run(out);
    expect({ step, ...told(ran) }).toEqual({ step, ...told(before) });
    return ran;
  };
  const must = (step: string, plan: () => PatchPlan) => {
    if (writtenTo(out, plan) === undefined) throw new Error(`${step} was refused`);
  };
  return (['auto', ...PLACEMENTS] as const).flatMap((placement) => {
    const wish = stampWith('x', { placement });
    if (writtenTo(out, () => planStamp(imageAt(path), wish)) === undefined) return [];
    const ran = same(placement);
    if (tellsNotes) expect(ran.stderr).toContain('FDO cafe1a7e {"name":"x"}');
    expect(changes(planStamp(imageAt(out), stampWith('x')))).toBe(false);
    must(`${placement}: a longer stamp`, () =>
      planStamp(imageAt(out), stampWith('a name that takes more room than the first one took')),
    );
    same(`${placement}, then a longer stamp`);
    must(`${placement}: the undo`, () => planStamp(imageAt(out), UNSTAMP));
    expect(same(`${placement}, then the undo`).stderr).not.toContain('FDO');
    expect({ placement, lost: notRestored(path, out) }).toEqual({ placement, lost: [] });
    // One that needs more room than the first one made is placed anew, in the program of before.
    if (placement !== 'auto' && placement !== 'new-table') return [placement];
    must(`${placement} again`, () => planStamp(imageAt(path), wish));
    must(`${placement}: a stamp of more room`, () => planStamp(imageAt(out), stampWith('n'.repeat(3000))));
    same(`${placement}, then a stamp of more room`);
    must(`${placement}: its undo`, () => planStamp(imageAt(out), UNSTAMP));
    expect({ placement, left: notRestored(path, out) }).toEqual({ placement, left: [] });
    same(`${placement}, then a stamp of more room, then the undo`);
    return [placement];
  });
}

/** What a placement may do to a program; the others leave notes without an address, or PT_GNU_STACK behind. */
export const FOR_PROGRAMS: ReadonlySet<string> = new Set(['auto', 'in-place', 'grow', 'extend', 'new-table']);

/** Of Debian's compilers; the path of the program that was made of a source of test/support/programs. */
export function compiled(path: string, source: string, compiler: string, flags: readonly string[]): string {
  const args = ['-O1', SOURCES + source, '-o', path, ...flags];
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new Error(`${compiler} ${args.join(' ')}: ${error ?? stderr}`);
  return path;
}

const SOURCES = fileURLToPath(new URL('programs/', import.meta.url));

/**
 * What an undo did not give back: entries of the first program header table that the last one has not, entries that it has in
 * addition, and PT_LOADs of which a byte differs behind the ELF header and the table. PT_NULLs say nothing. Without section
 * headers nothing shows which table or which length an edit made: there what is in memory is compared alone.
 */
export function notRestored(first: string, last: string): readonly string[] {
  const [was, is] = [imageAt(first), imageAt(last)];
  const [old, made] = [was, is].map(({ segments }) =>
    segments.filter(({ p_type }) => p_type !== PT_NULL).map((s) => `${s.p_type} ${entryWords(s)}`),
  );
  if (old === undefined || made === undefined) throw new Error('no entries');
  const entries =
    was.sections.length === 0
      ? []
      : [
          ...old.filter((words) => !made.includes(words)).map((words) => `gone: ${words}`),
          ...made.filter((words) => !old.includes(words)).map((words) => `added: ${words}`),
        ];
  const hidden = [was, is].flatMap((image) => [{ start: 0n, end: ehdrSize(image.encoding) }, phdrTable(image)]);
  const bytes = loads(was).filter(({ segment: { p_offset, p_filesz } }) => {
    const [old, made] = [was, is].map(({ source }) => Buffer.from(source.read(p_offset, p_filesz, 'test')));
    if (old === undefined || made === undefined) throw new Error('no bytes');
    for (const { start, end } of hidden) {
      const [from, to] = [start, end].map((at) => Math.min(Math.max(Number(at - p_offset), 0), old.length));
      for (const part of [old, made]) part.fill(0, from, to);
    }
    return !old.equals(made);
  });
  const notes = isDeepStrictEqual(loadedNotes(was), loadedNotes(is)) ? [] : [`notes: ${loadedNotes(is)}`];
  return [...entries, ...bytes.map(({ index }) => `bytes of PT_LOAD ${index}`), ...notes];
}

const entryWords = (phdr: Phdr) =>
  Object.entries(phdr)
    .map(([name, value]) => `${name} ${value.toString(16)}`)
    .join(' ');
/** Notes that readers in memory find, sorted: owner, type and descriptor of every record of a PT_NOTE that a PT_LOAD shows. */
export function loadedNotes(image: ElfImage): readonly string[] {
  return noteAreas(image)
    .filter(({ kind, loaded }) => kind === 'segment' && loaded !== undefined)
    .flatMap(({ walk }) => walk.records)
    .map(({ name, type, desc }) => `${ownerOf(name)} ${type.toString(16)} ${Buffer.from(desc).toString('hex')}`)
    .sort();
}

/** How `loadedNotes()` names package metadata. */
export const STAMPED = new RegExp(`^FDO ${FDO_PACKAGING_METADATA.toString(16)} `);
