/**
 * Notes padded to 8, as assemblers put property notes into any image: in the container of the original no reader finds Xen's
 * behind them, and one distribution drops all notes from xen.gz for it. In a tidy one each is found: by Xen's readnotes, readelf,
 * file and every kexec.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KexecTools } from '../../judges/kexec-ask.js';
import { judgesOf } from '../../judges/roots.js';
import { runCli, workFolder } from '../../support/cli.js';
import { foreignTool, requireTools } from '../../support/images.js';

const folder = workFolder();
afterAll(() => folder.remove());
const path = (name: string) => join(folder.path, name);

/** Two records of other widths behind a property note; the names of their types are what readers know. */
const SOURCE = `
 .section .note.gnu.property,"a",@note
 .balign 8
 .long 4,16,5
 .asciz "GNU"
 .long 0xc0000002,4,3,0
 .section .note.all,"a",@note
 .balign 4
 .long 4,4,18
 .asciz "Xen"
 .long 0x200010
 .long 4,6,6
 .asciz "Xen"
 .asciz "linux"
 .balign 4
 .long 4,20,3
 .asciz "GNU"
 .fill 20,1,0x5a
 .text
 .globl start
start: hlt
 jmp start
`;
/** The shape of Xen's linker script: one PT_LOAD over everything, and one PT_NOTE. */
const SCRIPT = `ENTRY(start)
PHDRS { text PT_LOAD; note PT_NOTE; }
SECTIONS {
 . = 0xffff82d040200000;
 .text : AT(0x200000) { *(.text) } :text =0x9090
 . = ALIGN(8);
 .note.gnu.property : { *(.note.gnu.property) } :note :text
 .note.all : { *(.note.all) } :note :text
 .data : { *(.data) . = . + 16; } :text
 /DISCARD/ : { *(.comment) }
}
`;

function output(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: folder.path });
  expect(status, `${program} ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

describe('an image with a property note in front of the others', () => {
  const file = 'padded';
  beforeAll(() => {
    requireTools('gcc', 'ld', 'readelf', 'file');
    writeFileSync(path('n.S'), SOURCE);
    writeFileSync(path('n.lds'), SCRIPT);
    output('gcc', '-c', 'n.S', '-o', 'n.o');
    output('ld', '-T', 'n.lds', 'n.o', '-o', `${file}.elf`, '--no-warn-rwx-segments');
    expect(output('readelf', '-lW', `${file}.elf`)).toMatch(/NOTE .* 0x8$/m);
  });

  it.each([
    ['', []],
    ['with sections', ['--keep', 'sections']],
  ])('tidy %s: each reader finds them', (_, options) => {
    const out = path(`${file}.tidy`);
    const run = runCli(['mkelf32', '--tidy', '--notes', ...options, path(`${file}.elf`), out, '0x200000']);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(output(foreignTool('readnotes'), out)).toMatch(/PHYS32_ENTRY: +0x200010[\s\S]*GUEST_OS: linux/);
    expect(output('readelf', '-lW', out)).toMatch(/NOTE .* 0x4$/m);
    const listed = output('readelf', '-nW', out);
    expect(listed).toContain('10 00 20 00');
    expect(listed).toContain('x86 feature: IBT, SHSTK');
    // Of a property padded as in 64 bits.
    if (options.length === 0) expect(listed).not.toContain('corrupt');
    expect(listed).toContain(`Build ID: ${'5a'.repeat(20)}`);
    expect(output('file', '-b', out)).toMatch(/^ELF 32-bit LSB executable, Intel 80386/);
    expect(output('file', '-b', out)).toContain(`BuildID[sha1]=${'5a'.repeat(20)}`);
    expect(runCli(['verify', out, '--for', 'kexec']).status).toBe(0);
  });

  it('is taken by every kexec', async () => {
    const { judges } = judgesOf('kexec');
    const bytes = readFileSync(path(`${file}.tidy`));
    for (const judge of judges) {
      const tools = new KexecTools(judge);
      try {
        const kernel = { name: file, digest: '', bends: '', bytes, stub: { leads: () => false, left: () => 0n } };
        const answers = await tools.all([kernel]);
        expect([...answers.values()]).toEqual(['TAKEN']);
      } finally {
        tools.remove();
      }
    }
  });
});
