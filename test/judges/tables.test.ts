/** Every verdict against the committed answers of real loaders: no program is needed for it, so each change is seen at once. */
import { describe, expect, it } from 'vitest';
import { differences, JUDGES } from './judges.js';
import { NOT_ASKED, readTable } from './table.js';

describe.each(JUDGES)('the answers of $name', (judge) => {
  const table = readTable(judge.name);
  const images = judge.images();

  it('are about the images that are made today', () => {
    const name = ({
      name,
      digest,
      bends,
    }: {
      readonly name: string;
      readonly digest: string;
      readonly bends: string;
    }) => `${name} ${digest} ${bends}`;
    expect(table.rows.map(name)).toEqual(images.map(name));
  });

  it('are what we say', () => {
    const { lines, counts } = differences(judge, table, images);
    console.log(`${judge.name}:`, counts);
    expect(lines.slice(0, 40), `${lines.length} differ`).toEqual([]);
  });

  it('tell of a hang only where the verdict is that the loader or the guest is lost, or may be', () => {
    const byName = new Map(images.map((image) => [image.name, image]));
    const hangs = table.rows.flatMap(({ name, answers }) =>
      [...answers].flatMap(([version, answer]) => (answer === 'HANG' ? [[name, version] as const] : [])),
    );
    const silent = hangs.filter(([name, version]) => {
      const image = byName.get(name);
      if (image === undefined || judge.isLuck?.(image, version) === true || name in (judge.gaps ?? {})) return false;
      return judge.differs(image, version, 'lost') !== undefined;
    });
    expect(silent).toEqual([]);
  });

  it('are there for every version, or the gap has a name', () => {
    const gaps = table.rows.flatMap(({ name, answers }) =>
      [...answers].filter(([, answer]) => answer === NOT_ASKED).map(([version]) => `${name} ${version}`),
    );
    expect(gaps).toEqual([]);
  });
});
