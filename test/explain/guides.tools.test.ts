/** The kernels of the two guides, as a reader would take them from the page: assembled, linked, and looked at. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { explainTopic } from '../../src/explain/index.js';
import { readElf } from '../../src/formats/elf/read.js';
import { requireTools } from '../support/tools.js';

const folder = mkdtempSync(join(tmpdir(), 'explain-guides-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Block {
  readonly kind: string;
  readonly lines?: readonly string[];
}

/** The block of a guide whose text has `sign` in it, as a file would hold it. */
function source(guide: string, sign: string): string {
  const blocks = explainTopic(guide)?.json['blocks'] as readonly Block[];
  const found = blocks.filter(({ kind, lines }) => kind === 'code' && lines?.some((line) => line.includes(sign)));
  expect(found).toHaveLength(1);
  return `${found[0]?.lines?.join('\n')}\n`;
}

/** Follows the guide's own gcc and ld lines. */
function build(guide: string, assembly: string, script: string): Uint8Array {
  writeFileSync(join(folder, assembly), source(guide, guide === 'pv' ? '.globl  startup_xen' : '.globl  pvh_start'));
  writeFileSync(join(folder, script), source(guide, 'ENTRY('));
  const lines = (explainTopic(guide)?.body ?? '').split('\n').map((line) => line.trim());
  const commands = lines.filter((line) => /^\$ (gcc|ld) /.test(line)).map((line) => line.slice(2).split(' '));
  expect(commands).toHaveLength(2);
  for (const [program = '', ...args] of commands) execFileSync(program, args, { cwd: folder, stdio: 'pipe' });
  return readFileSync(join(folder, `${guide === 'pv' ? 'pv' : 'kernel'}.elf`));
}

describe('the guides, by gcc and ld for x86-64', () => {
  requireTools('gcc', 'ld');

  it('explain pvh: a kernel at 1 MiB without notes', () => {
    const image = readElf(new BufferSource(build('pvh', 'kernel.S', 'kernel.lds'), 'kernel.elf'));
    expect(image.header.e_entry).toBe(0x10_0000n);
    const loads = image.segments.filter((segment) => segment.p_type === 1);
    expect(loads.map((load) => [load.p_vaddr, load.p_paddr])).toEqual([[0x10_0000n, 0x10_0000n]]);
    expect(image.segments.some((segment) => segment.p_type === 4)).toBe(false);
  });

  it('explain pv: a kernel linked high, loaded low, without notes', () => {
    const image = readElf(new BufferSource(build('pv', 'pv.S', 'pv.lds'), 'pv.elf'));
    expect(image.header.e_entry).toBe(0xffff_ffff_8010_0000n);
    const loads = image.segments.filter((segment) => segment.p_type === 1);
    expect(loads.map((load) => [load.p_vaddr, load.p_paddr])).toEqual([[0xffff_ffff_8010_0000n, 0x10_0000n]]);
    expect(image.segments.some((segment) => segment.p_type === 4)).toBe(false);
  });
});
