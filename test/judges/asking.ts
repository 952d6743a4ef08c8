/** The tests that ask a real loader: they hold the committed table, and fresh images where that is wanted. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differences, type JudgeTable } from './judges.js';
import type { Kernel } from './kernels.js';
import { type Judge, judgesOf } from './roots.js';
import { inOrder, pathOf, readTable, type Table, tableText, withAnswers } from './table.js';
import { askAll, freshImages, imagesOf, scopeOf } from './work.js';

/** A loader that can be asked image by image. */
export interface Asked {
  ask(kernel: Kernel): Promise<string>;
  remove(): void;
}

/** One image in so many is asked about again in each run, always the same ones. */
const SHARE = 12;

const NOTHING: Table = { versions: [], rows: [] };

function committed(name: string): Table {
  try {
    return readTable(name);
  } catch (error) {
    if (process.env['JUDGES'] !== undefined) return NOTHING;
    throw error;
  }
}

/** The tests of one judge. What cannot be asked here is a skipped test with its name. */
export function askingTests(table: JudgeTable, start: (judge: Judge) => Asked): void {
  const scope = scopeOf(process.env['JUDGES']);
  const { judges, missing } = judgesOf(table.packageName);
  const old = committed(table.name);
  const isKnown = ({ version }: Judge): boolean => scope.kind !== 'share' || old.versions.includes(version);

  for (const line of missing) it.skip(`not to be had here: ${line}`);
  for (const { root, version } of judges.filter((judge) => !isKnown(judge))) {
    it.skip(`${root.name} has ${table.packageName} ${version}, which no table has: JUDGES=all asks it`);
  }
  const there = new Set(judges.map(({ version }) => version));
  for (const version of old.versions) {
    if (!there.has(version))
      it.skip(`${table.packageName} ${version} can no longer be had: its column stands as it is`);
  }

  describe.each(judges.filter(isKnown))(`${table.packageName} $version of $root.name`, (judge) => {
    const { version } = judge;

    it('says what the table says, and we say', async () => {
      const all = scope.kind === 'fresh' ? freshImages(table.images, scope.from, scope.to) : imagesOf(table.images);
      const images = scope.kind === 'share' ? all.filter((_, index) => index % SHARE === 0) : all;
      const asked = start(judge);
      const heard = await askAll(images, (kernel) => asked.ask(kernel)).finally(() => asked.remove());
      const fresh = withAnswers(NOTHING, images, new Map([[version, heard]]));
      const { lines, counts } = differences(table, fresh, images);
      console.log(`${table.name} ${version}: ${images.length} images:`, counts);
      if (scope.kind === 'all') {
        // Columns are written one by one: each version adds its own to what stands there.
        const before = committed(table.name);
        writeFileSync(pathOf(table.name), tableText(withAnswers(before, all, new Map([[version, heard]]))));
      }
      if (scope.kind === 'share') {
        const rows = new Map(old.rows.map((row) => [row.name, row]));
        const changed = images.flatMap(({ name }) => {
          const [was, is] = [rows.get(name)?.answers.get(version), heard.get(name)];
          return was === is ? [] : [`${name}: was ${was}, is ${is}`];
        });
        expect(changed).toEqual([]);
      }
      expect(lines.slice(0, 40), `${lines.length} of ${images.length} differ`).toEqual([]);
    });
  });

  it('has a column for what was asked, in order', () => {
    const { versions } = committed(table.name);
    expect(versions).toEqual(inOrder(versions));
    expect(versions.length).toBeGreaterThan(0);
  });
}
