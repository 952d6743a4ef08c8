/** No text of a picture stands on another or runs out of what it stands in, by the widths that the picture itself goes by. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { looksLikeElf, readElf } from '../../../src/formats/elf/read.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { foldBands } from '../../../src/inspect/map/fold.js';
import { type ImageMap, imageMap } from '../../../src/inspect/map/image-map.js';
import { peMap } from '../../../src/inspect/map/pe-map.js';
import { mapSvg } from '../../../src/inspect/map/svg.js';
import { type Font, fitted, textWidth } from '../../../src/inspect/map/text-width.js';
import { elf, num } from '../../support/elf-builder.js';

const le = { bits: 64, endian: 'little' } as const;
const PLAIN: Font = { size: 12, kind: 'plain' };

function mapOf(bytes: Uint8Array, name: string): ImageMap {
  const source = new BufferSource(bytes, name);
  return looksLikeElf(source) ? imageMap(readElf(source)) : peMap(readPe(source));
}

interface Drawn {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

/** Texts of a picture with the room that they take. */
function textsOf(svg: string): Drawn[] {
  const entity: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };
  return [...svg.matchAll(/<text x="([-\d.]+)" y="([-\d.]+)" class="([^"]*)"(?: text-anchor="(\w+)")?>([^<]*)</g)].map(
    ([, x, y, className = '', anchor = 'start', escaped = '']) => {
      const text = escaped.replace(/&\w+;/g, (found) => entity[found] ?? found);
      const small = /small/.test(className);
      const font: Font = /title/.test(className)
        ? { size: 16, kind: 'bold' }
        : /address/.test(className)
          ? { size: 11, kind: 'mono' }
          : { size: small ? 11 : 12, kind: 'plain' };
      const width = textWidth(text, font);
      const left = Number(x) - (anchor === 'end' ? width : anchor === 'middle' ? width / 2 : 0);
      return { text, left, right: left + width, y: Number(y) };
    },
  );
}

/** What is wrong with a picture: texts on each other, or outside. */
function faultsOf(svg: string): string[] {
  const [, width, height] = /<svg [^>]*width="(\d+)" height="([\d.]+)"/.exec(svg) ?? [];
  const texts = textsOf(svg);
  expect(texts.length).toBeGreaterThan(8);
  const faults = texts
    .filter(({ left, right, y }) => left < 0 || right > Number(width) || y > Number(height))
    .map(({ text }) => `outside: ${text}`);
  for (const [i, a] of texts.entries()) {
    for (const b of texts.slice(i + 1)) {
      if (Math.abs(a.y - b.y) < 11 && a.left < b.right && b.left < a.right) faults.push(`${a.text} on ${b.text}`);
    }
  }
  return faults;
}

const LONG = `.${'very_long_section_name_'.repeat(4)}`;
const SECTIONS = Array.from({ length: 300 }, (_, i) => `${LONG}${i}`);

/** Shapes that are hard to label: names without end, high addresses, tiny loads, many of everything. */
const HARD: Readonly<Record<string, () => Uint8Array>> = {
  'zeros only, small, high': () =>
    elf(le).load(0xffffffff81000000n, new Uint8Array(0), { memsz: 0x5000n, paddr: 0x1000000n }).build(),
  'many loads': () => {
    const builder = elf(le);
    for (let i = 0; i < 150; i++) builder.load(0xffffffff80000000n + BigInt(i) * 0x10000n, new Uint8Array(9).fill(1));
    return builder.build();
  },
  'many notes': () => {
    const builder = elf(le).load(0x100000n, new Uint8Array(4096).fill(1));
    const desc = num(1n, 4, le);
    for (let i = 0; i < 40; i++)
      builder.noteSegment([
        { name: LONG, type: i, desc },
        { type: 18, desc },
      ]);
    return builder.build();
  },
  'many long names': () => {
    const builder = elf(le).load(0x100000n, new Uint8Array(64).fill(1));
    for (const [i, name] of SECTIONS.entries())
      builder.section(name, { bytes: new Uint8Array(8 + (i % 7) * 900).fill(1) });
    return builder.build();
  },
};

describe('texts of a picture', () => {
  const fixtures = readdirSync('fixtures/bin');
  it.each(fixtures)('%s, alone and beside another', (name) => {
    const map = mapOf(readFileSync(`fixtures/bin/${name}`), name);
    const other = mapOf(readFileSync('fixtures/bin/pvh64-notes'), 'pvh64-notes');
    expect(faultsOf(mapSvg(map))).toEqual([]);
    expect(faultsOf(mapSvg(map, other))).toEqual([]);
  });

  it.each(Object.entries(HARD))('%s', (_, build) => {
    const map = mapOf(build(), `/a/long/path/${'to/'.repeat(60)}kernel`);
    expect(faultsOf(mapSvg(map))).toEqual([]);
    expect(faultsOf(mapSvg(map, map))).toEqual([]);
  });

  it('a hostile width is no way around the room', () => {
    const map = mapOf(elf(le).load(0n, new Uint8Array(9)).build(), '\u{1f480}漢'.repeat(90));
    expect(faultsOf(mapSvg(map))).toEqual([]);
  });
});

describe('fitted()', () => {
  it('keeps the beginning and the end, and the room', () => {
    for (const room of [20, 60, 100, 140]) {
      const text = fitted('/boot/vmlinux-6.1.0-49-amd64', PLAIN, room);
      expect(textWidth(text, PLAIN)).toBeLessThanOrEqual(room);
      expect(text).toMatch(/^\/.*…|^…$/);
    }
    expect(fitted('/boot/vmlinux-6.1.0-49-amd64', PLAIN, 120)).toMatch(/^\/boot\/.*….*amd64$/);
    expect(fitted('short', PLAIN, 120)).toBe('short');
  });
});

describe('foldBands()', () => {
  const bandsOf = (build: () => Uint8Array) => mapOf(build(), 'kernel').file;
  it('few bands stay as they are', () => {
    const { file } = mapOf(readFileSync('fixtures/bin/pvh64-notes'), 'a');
    expect(foldBands(file).map(({ parts }) => parts.length)).toEqual(file.map(() => 1));
  });

  it('many become few; nothing is lost, notes and headers stay alone', () => {
    for (const build of Object.values(HARD)) {
      const bands = bandsOf(build);
      const folded = foldBands(bands);
      expect(folded.flatMap(({ parts }) => parts)).toEqual(bands);
      const alone = folded
        .filter(({ parts }) => parts.length > 1)
        .flatMap(({ parts }) => parts.map(({ kind }) => kind));
      expect(alone).not.toContain('notes');
      expect(alone).not.toContain('header');
    }
    const loads = bandsOf(HARD['many loads'] ?? (() => new Uint8Array()));
    expect(loads.length).toBeGreaterThan(120);
    expect(foldBands(loads).length).toBeLessThan(20);
  });
});
