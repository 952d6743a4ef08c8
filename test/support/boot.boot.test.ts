import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootInQemu } from './boot.js';
import { fixture, realImage } from './images.js';

const NO_NOTE = 'Error loading uncompressed kernel without PVH ELF Note';

describe('bootInQemu()', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'boot-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A copy of a fixture with the first occurrence of some bytes replaced. */
  function altered(name: string, from: Uint8Array, to: Uint8Array): string {
    const bytes = readFileSync(fixture(name));
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    bytes.set(to, at);
    const path = join(folder, `${name}-altered`);
    writeFileSync(path, bytes);
    return path;
  }

  it.each(['pvh64-notes', 'pvh32-notes', 'pvh64-high-notes'])('boots %s by its PVH note', async (name) => {
    const boot = await bootInQemu(fixture(name));
    expect(boot).toMatchObject({ verdict: 'booted', status: 33, stderr: '' });
    expect(boot.serial).toContain('MARK pvh entered');
  });

  it.each(['mb1', 'mb1-late', 'mb1-fields'])('boots %s by its Multiboot header', async (name) => {
    const boot = await bootInQemu(fixture(name));
    expect(boot).toMatchObject({ verdict: 'booted', status: 33, stderr: '' });
    expect(boot.serial).toContain('MARK mb1 entered');
  });

  it.each(['pvh64-bare', 'pvh32-bare', 'pvh64-high-bare', 'pvh64-ld-bare', 'pvh64-lld-bare', 'pv64-notes'])(
    'has %s refused: no PVH note',
    async (name) => {
      const boot = await bootInQemu(fixture(name));
      expect(boot).toMatchObject({ verdict: 'refused', status: 1, serial: '' });
      expect(boot.stderr).toContain(NO_NOTE);
    },
  );

  it('hands the command line over', async () => {
    const boot = await bootInQemu(fixture('pvh64-notes'), { append: 'one two' });
    expect(boot.serial).toContain('MARK cmdline=one two\n');
  });

  it('does not take a kernel for booted whose data was not what it was linked with', async () => {
    const dataword = Uint8Array.of(0x44, 0x33, 0x22, 0x11, 1, 0, 0, 0);
    const boot = await bootInQemu(altered('pvh64-notes', dataword, new Uint8Array(4)));
    expect(boot).toMatchObject({ verdict: 'wrong', status: 35 });
    expect(boot.serial).toContain('MARK data BAD');
  });

  it('calls a kernel hung that never ends', async () => {
    const outToExitPort = Uint8Array.of(0xba, 0xf4, 0x00, 0x00, 0x00, 0xef);
    const boot = await bootInQemu(altered('pvh64-high-notes', outToExitPort, Uint8Array.of(0xeb, 0xfe)), {
      limit: 2000,
    });
    expect(boot.verdict).toBe('hung');
  });

  it('calls QEMU crashed when a p_align of 0 makes it divide by zero', async () => {
    const bytes = readFileSync(fixture('pvh32-notes'));
    const p_align = 52 + 2 * 32 + 28; // third program header, last field
    expect(bytes.readUInt32LE(p_align)).toBe(4);
    bytes.writeUInt32LE(0, p_align);
    const path = join(folder, 'align-0');
    writeFileSync(path, bytes);
    expect(await bootInQemu(path)).toMatchObject({ verdict: 'crashed', signal: 'SIGFPE' });
  });

  it('stops a real Linux at a line it prints', async () => {
    const boot = await bootInQemu(realImage('vmlinux').path, {
      // Its check of the timer fails, and ends in a panic, where the emulator is starved.
      append: 'console=ttyS0 panic=-1 nokaslr no_timer_check',
      memory: 512,
      marks: ['Booting paravirtualized kernel', 'Kernel command line: console=ttyS0'],
      stopAtMarks: true,
      limit: 60_000,
    });
    expect(boot.verdict, boot.serial.slice(-1000)).toBe('booted');
  });
});
