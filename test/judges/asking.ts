/** The tests that ask a real loader: they hold the committed table, and fresh images where that is wanted. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differences, type JudgeTable } from './judges.js';
import type { Kernel } from './kernels.js';
import type { Judge, Judges } from './roots.js';
import { inOrder, NOT_ASKED, pathOf, readTable, type Table, tableText, withAnswers } from './table.js';
import { scopeOf } from './work.js';

/** A loader that can be asked. */
export interface Asked {
  /** Its answers by the names of the images. */
  all(images: readonly Kernel[]): Promise<ReadonlyMap<string, string>>;
  remove(): void;
}

/** Milliseconds: a share is soon asked, thousands of images are not. */
const LIMITS = { share: 300_000, all: 36_000_000, new: 36_000_000, fresh: 36_000_000 } as const;

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
export function askingTests(table: JudgeTable, found: Judges, start: (judge: Judge) => Asked): void {
  const scope = scopeOf(process.env['JUDGES']);
  const { judges, missing } = found;
  const old = committed(table.name);
  const isKnown = ({ version }: Judge): boolean => scope.kind !== 'share' || old.versions.includes(version);

  for (const line of missing) it.skip(`not to be had here: ${line}`);
  for (const { root, version } of judges.filter((judge) => !isKnown(judge))) {
    it.skip(`${root.name} has ${table.name} ${version}, which no table has: JUDGES=all asks it`);
  }
  const there = new Set(judges.map(({ version }) => version));
  for (const version of old.versions) {
    if (!there.has(version)) it.skip(`${table.name} ${version} can no longer be had: its column stands as it is`);
  }

  describe.each(judges.filter(isKnown))(`${table.name} $version of $root.name`, (judge) => {
    const { version } = judge;

    it(
      'says what the table says, and we say',
      async () => {
        const all = scope.kind === 'fresh' ? table.fresh(scope.from, scope.to) : table.images();
        const known = new Map(old.rows.map((row) => [`${row.name} ${row.digest}`, row.answers.get(version)]));
        const isNew = ({ name, digest }: Kernel) => (known.get(`${name} ${digest}`) ?? NOT_ASKED) === NOT_ASKED;
        const isKnownNot = ({ name, digest }: Kernel, answer: string | undefined) =>
          scope.kind === 'share' && known.get(`${name} ${digest}`) !== answer;
        const images = all.filter((each, index) => {
          if (scope.kind === 'new') return isNew(each);
          return scope.kind !== 'share' || index % SHARE === 0;
        });
        const asked = start(judge);
        const heard = new Map(await asked.all(images));
        // A machine that was busy may have been too slow for one of them: what is not as recorded is asked once more.
        const unlike = images.filter((each) => isKnownNot(each, heard.get(each.name)));
        for (const [name, answer] of await asked.all(unlike)) heard.set(name, answer);
        asked.remove();
        const fresh = withAnswers(NOTHING, images, new Map([[version, heard]]));
        const { lines, counts } = differences(table, fresh, images);
        console.log(`${table.name} ${version}: ${images.length} images:`, counts);
        if (scope.kind === 'all' || scope.kind === 'new') {
          // Columns are written one by one: each version adds its own to what stands there.
          const before = committed(table.name);
          writeFileSync(pathOf(table.name), tableText(withAnswers(before, all, new Map([[version, heard]]))));
        }
        if (scope.kind === 'share') {
          const rows = new Map(old.rows.map((row) => [row.name, row]));
          const changed = images.flatMap((image) => {
            const { name } = image;
            const [was, is] = [rows.get(name)?.answers.get(version), heard.get(name)];
            const same = was === is || table.isLuck?.(image, version) === true;
            return same ? [] : [`${name}: was ${was}, is ${is}`];
          });
          expect(changed).toEqual([]);
        }
        expect(lines.slice(0, 40), `${lines.length} of ${images.length} differ`).toEqual([]);
      },
      LIMITS[scope.kind],
    );
  });

  it('has a column for what was asked, in order', () => {
    const { versions } = committed(table.name);
    expect(versions).toEqual(inOrder(versions));
    expect(versions.length).toBeGreaterThan(0);
  });
}
