/** What ran still runs, for programs of makers that this release of Debian has no package to make them with: GNU ld of the next, and Go. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { foreignTool, linkerOfTrixie } from '../support/images.js';
import { compiled, FOR_PROGRAMS, outcome, throughPlacements } from '../support/programs.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

const { files, missing } = linkerOfTrixie();
for (const what of missing) console.log(`not tried with GNU ld of Debian 13: ${what}`);

/** A folder in which gcc finds that linker, run by the ld.so and with the libc of its own release. */
function linkerFolder(): string {
  const path = join(folder.path, 'linker');
  mkdirSync(path, { recursive: true });
  for (const [name, file] of files) symlinkSync(file, join(path, name));
  const script = join(path, 'ld.bfd');
  const words = `exec ${join(path, 'ld-linux-x86-64.so.2')} --library-path ${path} ${join(path, 'ld')} "$@"`;
  writeFileSync(script, `#!/bin/sh\n${words}\n`);
  chmodSync(script, 0o755);
  return path;
}

const KINDS: readonly (readonly [name: string, source: string, flags: string])[] = [
  ['no-libc', 'walker.c', '-ffreestanding -nostdlib -static'],
  ['no-libc-property', 'walker.c', '-ffreestanding -nostdlib -static -fcf-protection'],
  ['no-libc-pie', 'walker.c', '-ffreestanding -nostdlib -static-pie -fcf-protection'],
  ['static', 'threads.c', '-static -pthread'],
  ['static-pie', 'threads.c', '-static-pie -pthread'],
  ['pie', 'threads.c', '-pie -pthread -Wl,-z,now'],
  ['pie-packed-relr', 'threads.c', '-pie -pthread -Wl,-z,pack-relative-relocs -Wl,-z,nosectionheader'],
  ['no-pie', 'threads.c', '-no-pie -pthread'],
];

describe.runIf(missing.length === 0)('GNU ld of Debian 13', () => {
  const linker = linkerFolder();

  it('is that of binutils 2.44', () => {
    expect(outcome(join(linker, 'ld.bfd'), ['--version']).stdout).toMatch(/^GNU ld \(GNU Binutils for Debian\) 2\.44/);
  });

  it.each(KINDS)('%s: does what it did after every edit', (name, source, flags) => {
    requireTools('gcc');
    const linking = [`-B${linker}`, '-fuse-ld=bfd', '-Wl,--build-id'];
    const path = compiled(join(folder.path, name), source, 'gcc', [...flags.split(' '), ...linking]);
    const taken = throughPlacements({ path, run: (file) => outcome(file), tellsNotes: true }, `${path}.out`);
    expect(taken).toContain('auto');
    expect(taken).toContain('new-table');
    expect(taken.filter((placement) => !FOR_PROGRAMS.has(placement))).toEqual([]);
  });
});

describe('a program of Go', () => {
  const args = ['--version'];

  it('does what it did after every edit', () => {
    const run = (file: string) => outcome(file, args, 'gosu');
    expect(run(foreignTool('gosu')).stdout).toMatch(/\(go[\d.]+ on linux\/amd64; gc\)/);
    const taken = throughPlacements({ path: foreignTool('gosu'), run, tellsNotes: false }, join(folder.path, 'gosu'));
    expect(taken).toContain('auto');
    expect(taken).toContain('new-table');
  });

  it('is stamped by the command', () => {
    const out = join(folder.path, 'gosu-by-command');
    const { status, stderr } = runCli(['stamp', foreignTool('gosu'), '-o', out, '--package-metadata', 'name=gosu']);
    expect({ status, failed: stderr.includes('error') }).toEqual({ status: 0, failed: false });
    expect(outcome(out, args, 'gosu')).toEqual(outcome(foreignTool('gosu'), args, 'gosu'));
  });
});
