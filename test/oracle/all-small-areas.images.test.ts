/**
 * Every note area of one to five words, each word one at which a reader turns: before Xen's libelf as compiled (libxenguest 4.17),
 * readnotes and grub-file, and before each reader of ours. Where a space is small there is no need to draw from it. Of what costs
 * a process or a verdict each, a share; AREAS=all asks of all.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { readElf } from '../../src/formats/elf/read.js';
import { noteAreas } from '../../src/formats/note/areas.js';
import { grubXen } from '../../src/loaders/grub-xen.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { formatReadnotes } from '../../src/loaders/read/readnotes.js';
import { brokenTables, libelfImage } from '../../src/loaders/xen/libelf-image.js';
import { NEWEST_XEN } from '../../src/loaders/xen-version.js';
import { verifyImage } from '../../src/verify/elf/verify.js';
import { concat, elf, num } from '../support/elf-builder.js';
import { foreignTool, requireTools } from '../support/images.js';
import { ImageFolder, XenOracle } from './programs.js';
import { compareWithXen } from './xen-compare.js';

const XEN_WORD = 0x006e6558;
const ENTRY = 0x0010_0000;
/**
 * Nothing; less than a word; a word, and `Xen` in size; PHYS32_ENTRY; `Xen`; an address in the kernel; what wraps at 32 bits, and
 * what a sign turns.
 */
const WORDS = [0, 1, 4, 18, XEN_WORD, ENTRY, 0xfffffffd, 0x7fffffff] as const;
const MOST = 5;
const encoding = { bits: 64, endian: 'little' } as const;

/** All lists of `length` words that begin with these. */
function lists(length: number, ...first: readonly number[]): (readonly number[])[] {
  return first.length === length ? [first] : WORDS.flatMap((word) => lists(length, ...first, word));
}

function imageOf(words: readonly number[]): Uint8Array {
  const area = concat(words.map((word) => num(BigInt(word), 4, encoding)));
  return elf(encoding).load(BigInt(ENTRY), new Uint8Array(64).fill(0x90)).noteSegment(area).build();
}

interface Area {
  /** What a failure is told by. */
  readonly told: string;
  readonly words: number;
  readonly bytes: Uint8Array;
}

/** A note of five words has an owner of four letters at most: of those areas the ones with Xen's, whatever else they say. */
const ALL: readonly Area[] = Array.from({ length: MOST }, (_, i) => lists(i + 1))
  .flat()
  .filter((words) => words.length < MOST || words[3] === XEN_WORD)
  .map((words) => ({
    told: words.map((word) => word.toString(16)).join(' '),
    words: words.length,
    bytes: imageOf(words),
  }));

/** All, or those whose number in the list leaves nothing by a prime: no column of the lists has that period. */
const every = (prime: number) => (process.env['AREAS'] === 'all' ? ALL : ALL.filter((_, i) => i % prime === 0));

const folder = new ImageFolder();
let oracle: XenOracle;
beforeAll(() => {
  requireTools('grub-file');
  oracle = new XenOracle();
});
afterAll(() => {
  folder.remove();
  oracle.remove();
});

interface Heard {
  readonly stdout: string;
  readonly exit: number;
}

/** A number can be printed as wide as megabytes: what so many print fits into a text. */
const AT_ONCE = 500;

/** A process for each. One character a byte. */
function ask(areas: readonly Area[], program: string, ...options: readonly string[]): Heard[] {
  const parts = Array.from({ length: Math.ceil(areas.length / AT_ONCE) }, (_, i) =>
    areas.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
  return parts.flatMap((part) => askOne(part, program, options));
}

/** All started by one shell, which is quicker at it. */
function askOne(areas: readonly Area[], program: string, options: readonly string[]): Heard[] {
  for (const [index, { bytes }] of areas.entries()) folder.write(`${index}`, bytes);
  const script =
    'n=$1; shift; i=0; while [ $i -lt $n ]; do "$@" $i 2>/dev/null; printf "\\0%s\\0" $?; i=$((i + 1)); done';
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', String(areas.length), program, ...options], {
    ...{ cwd: folder.path, encoding: 'latin1', maxBuffer: 1 << 29 },
  });
  const parts = stdout.split('\0');
  expect(parts).toHaveLength(2 * areas.length + 1);
  return areas.map((_, index) => ({ stdout: parts[2 * index] ?? '', exit: Number(parts[2 * index + 1]) }));
}

describe(`${ALL.length} areas`, () => {
  it('are read by Xen as we say', () => {
    expect(ALL.length).toBe(8 + 64 + 512 + 4096 + 4096);
    const { counts, different } = compareWithXen(
      oracle,
      ALL.map(({ bytes }) => bytes),
      (index) => ALL[index]?.told ?? '',
      { version: '4.17', toolstack: true },
    );
    expect(different.slice(0, 10), `${different.length} differ`).toEqual([]);
    expect(Math.min(counts.get('hvm accepted') ?? 0, counts.get('hvm refused') ?? 0)).toBeGreaterThan(0);
  });

  it('are walked to their end, or to a problem', () => {
    let whole = 0;
    for (const { told, words, bytes } of ALL) {
      const [area] = noteAreas(readElf(new BufferSource(bytes, told)));
      const taken = (area?.walk.records ?? []).reduce((sum, { size }) => sum + size, 0n);
      const size = BigInt(4 * words);
      expect(taken <= size && (taken === size || area?.walk.problem !== undefined), told).toBe(true);
      if (taken === size) whole += 1;
    }
    expect(whole).toBeGreaterThan(0);
    expect(whole).toBeLessThan(ALL.length);
  });

  it('get a verdict of every loader and every check, and none is a fault of ours', () => {
    for (const { told, bytes } of every(41)) {
      const source = new BufferSource(bytes, told);
      expect(judgeLoaders(source).some(({ outcome }) => outcome === 'undecided')).toBe(false);
      verifyImage({ image: readElf(source) });
    }
  });

  it('are printed by readnotes as by us', () => {
    const areas = every(13);
    const different = ask(areas, foreignTool('readnotes')).flatMap((heard, index) => {
      const { told, bytes } = areas[index] ?? { told: '', bytes: new Uint8Array(0) };
      const image = libelfImage(new BufferSource(bytes));
      const { stdout, exit } = formatReadnotes(image, brokenTables(image));
      return heard.stdout === stdout && heard.exit === exit ? [] : [{ told, stdout, exit, heard }];
    });
    expect(different.slice(0, 5), `${different.length} differ`).toEqual([]);
  });

  it('are taken or refused by grub-file as we say', () => {
    let luck = 0;
    // What it finds behind the area decides of some, and is not ours to know.
    const areas = every(13).flatMap(({ told, bytes }) => {
      const { rule, warnings } = grubXen.judge(new BufferSource(bytes), { xenVersion: NEWEST_XEN });
      const open = warnings.some((warning) => ['reads-within-segment', 'program-headers'].includes(warning.rule));
      if (open) luck += 1;
      return open ? [] : [{ told, words: 0, bytes, rule }];
    });
    const different = ask(areas, 'grub-file', '--is-x86-xen-dom0').flatMap(({ exit }, index) => {
      const { told, rule } = areas[index] ?? { told: '', rule: undefined };
      const read = rule === undefined || rule === 'virt-base-page-aligned' || rule === 'architecture';
      return (exit === 0) === read ? [] : [{ told, rule, exit }];
    });
    expect(different.slice(0, 5), `${different.length} differ, ${luck} left to luck`).toEqual([]);
    expect(areas.length).toBeGreaterThan(luck);
  });
});
