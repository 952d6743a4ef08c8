/** A makefile with the recipe lines of xen/arch/x86/Makefile around the call, the tool replaced and nothing else. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { workFolder } from '../../support/cli.js';
import { realImage, requireTools } from '../../support/images.js';
import { simple } from './support.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** The one line that changes is MKELF32. */
const MAKEFILE = `
MKELF32 := ${process.execPath} ${resolve('bin/xen-mkelf32.js')}
XEN_IMG_OFFSET := 0x200000
notes-$(NOTES) := --notes

xen.gz: xen
	gzip -n -f -9 < $< > $@

xen: xen-syms
	$(MKELF32) $(notes-y) xen-syms .xen.elf32 $(XEN_IMG_OFFSET)
	od -t x4 -N 8192 .xen.elf32 | grep 1badb002 > /dev/null || \\
		{ echo "No Multiboot1 header found" >&2; false; }
	od -t x4 -N 32768 .xen.elf32 | grep e85250d6 > /dev/null || \\
		{ echo "No Multiboot2 header found" >&2; false; }
	mv .xen.elf32 $@
`;

function make(name: string, syms: Uint8Array, ...args: string[]) {
  requireTools('make', 'od', 'grep', 'gzip');
  const cwd = join(folder.path, name);
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'Makefile'), MAKEFILE);
  writeFileSync(join(cwd, 'xen-syms'), syms);
  return { cwd, ...spawnSync('make', ['-s', ...args], { cwd, encoding: 'utf8' }) };
}

describe("Xen's recipe with xen-mkelf32 in it", () => {
  it('builds the real hypervisor', () => {
    const { cwd, status, stderr } = make('good', readFileSync(realImage('xen-syms').path), 'NOTES=y');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const shipped = readFileSync(realImage('xen').path);
    const built = gunzipSync(readFileSync(join(cwd, 'xen.gz')));
    expect(built.length).toBe(shipped.length);
    // Another release made the shipped one: p_memsz is rounded differently, and nothing else.
    const p_memsz = 52 + 20;
    built.copy(shipped, p_memsz, p_memsz, p_memsz + 4);
    expect(built.equals(shipped)).toBe(true);
  });

  it('stops where the tool stops', () => {
    const { cwd, status, stderr } = make('no-notes', simple(16, 16n), 'NOTES=y');
    expect(status).toBe(2);
    expect(stderr).toContain('Expect precisly 2 program header; found 1.');
    expect(existsSync(join(cwd, '.xen.elf32'))).toBe(false);
  });

  it('and where the checks behind it do', () => {
    const { status, stderr } = make('no-header', simple(0x1000, 0x1000n));
    expect(status).toBe(2);
    expect(stderr).toContain('No Multiboot1 header found');
  });
});
