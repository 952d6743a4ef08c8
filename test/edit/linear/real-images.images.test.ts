/** Xen as Debian ships it, before and after: what binutils reads in both. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { runCli } from '../../support/cli.js';
import { requireTools, xenEfiImages } from '../../support/images.js';

const { images, missing } = xenEfiImages();
for (const line of missing) it.skip(`not to be had here: ${line}`);

describe.each(images)("linearize of Debian's $name", ({ path }) => {
  let folder = '';
  let made = '';
  beforeAll(() => {
    requireTools('nm', 'objcopy');
    folder = mkdtempSync(join(tmpdir(), 'linear-real-'));
    made = linear('made.efi');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function linear(name: string, ...options: readonly string[]): string {
    const output = join(folder, name);
    expect(runCli(['linearize', path, '-o', output, ...options])).toMatchObject({ status: 0, stderr: '' });
    return output;
  }

  function tool(name: string, ...args: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync(name, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    expect(status, stderr).toBe(0);
    return stdout;
  }

  it('is proved against its input, and leaves --check nothing to do', () => {
    expect(runCli(['linearize', '--verify', made, '--baseline', path])).toMatchObject({ status: 0 });
    expect(runCli(['linearize', '--check', made])).toMatchObject({ status: 0 });
  });

  it.each([{ options: [] }, { options: ['--mb1'] }, { options: ['--merge', '--keep-reloc'] }])(
    'has the same symbols for nm: $options',
    ({ options }) => {
      // The letter tells the kind of section, which a joined one may change.
      const symbols = (file: string) =>
        tool('nm', '-n', file)
          .replace(/^([0-9a-f]+) \w /gm, '$1 ')
          .split('\n')
          .sort();
      const [before, after] = [symbols(path), symbols(linear('symbols.efi', ...options))];
      expect(after).toEqual(before);
      expect(after.length).toBeGreaterThan(5_000);
    },
  );

  it('has the same bytes in every section for objcopy, but for the header tags and one file pointer', () => {
    const source = FileSource.open(path);
    const { sections } = readPe(source);
    source.close();
    const dump = (file: string, to: string) => {
      const named = sections.filter(({ SizeOfRawData }) => SizeOfRawData > 0n);
      const options = named.flatMap(({ name }) => ['--dump-section', `${name}=${join(folder, to + name)}`]);
      tool('objcopy', ...options, file, join(folder, 'scratch'));
      return named.map(({ name }) => ({ name, bytes: readFileSync(join(folder, to + name)) }));
    };
    const [before, after] = [dump(path, 'before'), dump(made, 'after')];
    const differing = before.flatMap(({ name, bytes }, i) => {
      const now = after[i]?.bytes ?? Buffer.alloc(0);
      // Raw data may be longer than the section: its padding is not the section's.
      const size = Number(sections.find((section) => section.name === name)?.VirtualSize);
      const places: number[] = [];
      if (bytes.subarray(0, size).equals(now.subarray(0, size))) return [];
      for (let at = 0; at < size; at++) if (bytes[at] !== now[at]) places.push(at);
      return [{ name, places }];
    });
    expect(differing.map(({ name }) => name)).toEqual(['.text', '.buildid']);
    const [header = [], pointer = []] = differing.map(({ places }) => places);
    // header_length and checksum of the header at 0x18, then 48 bytes from its old end tag at 0x98 on.
    expect(header.filter((at) => !(at >= 0x20 && at < 0x28) && !(at >= 0x98 && at < 0xc8))).toEqual([]);
    expect(header.length).toBeLessThanOrEqual(44);
    // The field at +24 of the one debug entry.
    expect(pointer.filter((at) => at < 24 || at >= 28)).toEqual([]);
    expect(before.map(({ name }) => name)).toContain('.init');
  });
});
