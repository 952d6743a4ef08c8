/** What ran still runs: programs that execve starts do after every edit what they did before, and see the notes in memory. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { expectationOf, type PatchPlan, planPatch } from '../../src/edit/elf/pipeline.js';
import { analyze } from '../../src/edit/elf/plan/analyze.js';
import { imageKind } from '../../src/edit/elf/plan/image-kind.js';
import { DEFAULT_PLACEMENT, PLACEMENTS } from '../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../src/edit/elf/render.js';
import { planStamp } from '../../src/edit/stamp/stamp.js';
import { readElf } from '../../src/formats/elf/read.js';
import { FDO_PACKAGING_METADATA } from '../../src/formats/note/note-types.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { verifyImage } from '../../src/verify/elf/verify.js';
import { runCli, workFolder } from '../support/cli.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

/**
 * Its exit status is what AT_PHDR and AT_PHNUM lead to: the PT_PHDR that must be there too, a PT_GNU_STACK that forbids to
 * execute, and the records of every PT_NOTE, read at the load bias plus its p_vaddr.
 */
const WALKER = `
typedef unsigned long word;
struct phdr { unsigned type, flags; word offset, vaddr, paddr, filesz, memsz, align; };
extern char __ehdr_start[] __attribute__((visibility("hidden")));
__attribute__((used)) static void walk(word *stack) {
  word *at = stack + 1 + stack[0] + 1, table = 0, count = 0, seen = 0, bias = 0, i;
  while (*at++) {}
  for (; at[0]; at += 2) {
    if (at[0] == 3) table = at[1];
    if (at[0] == 5) count = at[1];
  }
  const volatile struct phdr *p = (void *)table;
  for (i = 0; i < count; i++) if (p[i].type == 1 && p[i].offset == 0) bias = (word)__ehdr_start - p[i].vaddr;
  for (i = 0; i < count; i++) {
    if (p[i].type == 0x6474e551 && !(p[i].flags & 1)) seen |= 64;
    if (p[i].type == 6 && bias + p[i].vaddr != table) seen |= 128;
    if (p[i].type != 4) continue;
    word unit = p[i].align == 8 ? 7 : 3, note = bias + p[i].vaddr, end = note + p[i].memsz;
    while (note < end) {
      const unsigned *n = (void *)note;
      if (n[0] == 4 && n[3] == 0x554e47) seen |= n[2] == 3 ? 1 : n[2] == 5 ? 2 : 0;
      note += (12 + ((n[0] + 3) & ~3UL) + n[1] + unit) & ~unit;
    }
    if (note > end + unit) seen |= 128;
  }
  __asm__ volatile("syscall" : : "a"(231L), "D"(seen));
  __builtin_unreachable();
}
__asm__(".globl _start\\n_start: mov %rsp, %rdi\\n and $-16, %rsp\\n call walk\\n");
`;

/**
 * Thread storage, what dl_iterate_phdr and AT_PHDR show, memory behind brk, the rights of a thread's stack. What is there to be
 * added goes to standard error: PT_LOADs and notes of other owners.
 */
const THREADS = String.raw`
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
static __thread int own = 41;
static char bss[300000];
static int show(struct dl_phdr_info *info, size_t size, void *data) {
  int tls = 0, phdr = 1;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    char *at = (char *)(info->dlpi_addr + p->p_vaddr), *end = at + p->p_memsz;
    tls += p->p_type == PT_TLS;
    if (p->p_type == PT_LOAD) fprintf(stderr, "load\n");
    if (p->p_type == PT_PHDR) phdr = at == (char *)info->dlpi_phdr;
    size_t unit = p->p_align == 8 ? 8 : 4;
    while (p->p_type == PT_NOTE && at < end) {
      const unsigned *n = (unsigned *)at;
      const char *desc = at + 12 + ((n[0] + 3) & ~3u);
      if (!strcmp(at + 12, "GNU")) printf("GNU %u %u %02x\n", n[2], n[1], desc[0] & 255);
      else fprintf(stderr, "%s %x %.*s\n", at + 12, n[2], (int)n[1], desc);
      at += (desc - at + n[1] + unit - 1) & ~(unit - 1);
    }
  }
  printf("tls %d, PT_PHDR %d, AT_PHDR %d\n", tls, phdr, (char *)getauxval(AT_PHDR) == (char *)info->dlpi_phdr);
  return 1;
}
static void *thread(void *unused) {
  char line[512], rights[8];
  unsigned long from, to, here = (unsigned long)&line;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && here >= from && here < to) printf("stack %s\n", rights);
  printf("own %d\n", ++own);
  return 0;
}
int main(void) {
  pthread_t id;
  dl_iterate_phdr(show, 0);
  memset(sbrk(1 << 20), 1, 1 << 20);
  for (int i = 0; i < 100; i++) memset(malloc(i * 999), 2, i * 999);
  for (int i = 0; i < (int)sizeof bss; i++) if (bss[i] != 0) return 1;
  pthread_create(&id, 0, thread, 0);
  pthread_join(id, 0);
  return own;
}
`;

const PROGRAMS: readonly (readonly [name: string, source: string, flags: string])[] = [
  ['walker', WALKER, '-nostdlib -static'],
  ['walker-no-id', WALKER, '-nostdlib -static -Wl,--build-id=none'],
  ['walker-pie', WALKER, '-nostdlib -static-pie'],
  ['walker-two-notes', WALKER, '-nostdlib -static-pie -fcf-protection'],
  ['static', THREADS, '-static -pthread'],
  ['static-no-id', THREADS, '-static -pthread -Wl,--build-id=none'],
  ['gold-pie', THREADS, '-fuse-ld=gold -pie -pthread'],
  ['static-pie', THREADS, '-static-pie -pthread'],
  ['pie', THREADS, '-pie -pthread'],
  ['no-pie', THREADS, '-no-pie -pthread'],
  ['gold', THREADS, '-fuse-ld=gold -static -pthread'],
];

const LDCONFIG = '/sbin/ldconfig';
const pathOf = (name: string) => (name === 'ldconfig' ? LDCONFIG : join(folder.path, name));
const argsOf = (name: string) => (name === 'ldconfig' ? ['-p'] : []);
const NAMES = [...PROGRAMS.map(([name]) => name), 'ldconfig'];

beforeAll(() => {
  requireTools('gcc', 'gold');
  if (!existsSync(LDCONFIG)) throw new Error(`no ${LDCONFIG}: every Debian has it, in the package libc-bin`);
  for (const [name, source, flags] of PROGRAMS) {
    const args = ['-O1', '-x', 'c', '-', '-o', pathOf(name), ...flags.split(' ')];
    const { status, stderr } = spawnSync('gcc', args, { input: source, encoding: 'utf8' });
    expect(stderr).not.toMatch(/error/);
    expect(status, name).toBe(0);
  }
});

function outcome(path: string, args: readonly string[]) {
  const { status, signal, stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' });
  return { status, signal, stdout, stderr };
}

const imageAt = (path: string) => readElf(new BufferSource(readFileSync(path), path));

/** The plan's result as a file that can be run; undefined when the plan was refused. */
function written(name: string, plan: () => PatchPlan): { readonly path: string; readonly plan: PatchPlan } | undefined {
  try {
    const done = plan();
    const path = folder.write(`${name}.out`, new Uint8Array(0));
    const result = preview(done.image, done.rendered);
    writeFileSync(path, result.read(0n, result.size, 'test'));
    chmodSync(path, 0o755);
    const findings = verifyImage({ image: imageAt(path), baseline: done.image, expectation: expectationOf(done) });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    return { path, plan: done };
  } catch (error) {
    if (error instanceof PatchError && /^plan\.(impossible|program)$/.test(error.id)) return undefined;
    throw error;
  }
}

const stampWish = { metadata: { name: 'x' }, members: {}, buildId: undefined, notes: [], remove: [], placement: {} };
const undo = { ...stampWish, metadata: undefined, remove: [{ owner: 'FDO', type: FDO_PACKAGING_METADATA }] };
/** What a placement may do to a program; the others leave notes without an address, or PT_GNU_STACK behind. */
const FOR_PROGRAMS: ReadonlySet<string> = new Set(['auto', 'in-place', 'grow', 'extend', 'new-table']);

describe.each(NAMES)('%s', (name) => {
  it('is seen as a program', () => {
    expect(imageKind(analyze(imageAt(pathOf(name))))).toMatchObject({ kind: 'program', by: 'signs' });
  });

  it('does what it did after a stamp, after the next and after the undo, and shows the note in memory', () => {
    const before = outcome(pathOf(name), argsOf(name));
    expect(before.signal).toBeNull();
    const image = imageAt(pathOf(name));
    const taken = (['auto', ...PLACEMENTS] as const).flatMap((placement) => {
      const first = written(name, () => planStamp(image, { ...stampWish, placement: { placement } }));
      if (first === undefined) return [];
      const ran = outcome(first.path, argsOf(name));
      expect({ placement, ...ran, stderr: '' }).toEqual({ placement, ...before, stderr: '' });
      if (before.stderr !== '') expect(ran.stderr).toContain('FDO cafe1a7e {"name":"x"}');

      const longer = { ...stampWish, metadata: { name: 'a name that takes more room than the first one took' } };
      const next = written(name, () => planStamp(imageAt(first.path), longer));
      if (next === undefined) throw new Error(`${placement}: the second edit was refused`);
      expect(outcome(next.path, argsOf(name))).toMatchObject({ status: before.status, stdout: before.stdout });

      const last = written(name, () => planStamp(imageAt(next.path), undo));
      if (last === undefined) throw new Error(`${placement}: the undo was refused`);
      const after = outcome(last.path, argsOf(name));
      expect(after).toMatchObject({ status: before.status, stdout: before.stdout });
      expect(after.stderr).not.toContain('FDO');
      return [placement];
    });
    expect(taken).toContain('auto');
    expect(taken).toContain('new-table');
    expect(taken.filter((placement) => !FOR_PROGRAMS.has(placement))).toEqual([]);
  });

  it('does what it did with Xen notes', () => {
    const before = outcome(pathOf(name), argsOf(name));
    const edits = [{ kind: 'set' as const, setting: parseSetting('GUEST_OS=os') }];
    for (const placement of ['auto', 'new-table'] as const) {
      const made = written(name, () => planPatch(imageAt(pathOf(name)), edits, { ...DEFAULT_PLACEMENT, placement }));
      if (made === undefined) throw new Error(`${placement} was refused`);
      expect(outcome(made.path, argsOf(name))).toMatchObject({ status: before.status, stdout: before.stdout });
      if (name.startsWith('walker')) continue;
      // What only programs have tells that it still is one, and the next edits treat it so.
      const longer = [{ kind: 'set' as const, setting: parseSetting(`GUEST_VERSION=${'v'.repeat(5000)}`) }];
      const again = written(name, () => planPatch(imageAt(made.path), longer));
      if (again === undefined) throw new Error(`the edit after ${placement} was refused`);
      expect(again.plan.kind).toBe('program');
      expect(outcome(again.path, argsOf(name))).toMatchObject({ status: before.status, stdout: before.stdout });
      const cleared = written(name, () => planPatch(imageAt(again.path), [{ kind: 'clear' }]));
      expect(outcome(cleared?.path ?? '', argsOf(name))).toMatchObject({
        status: before.status,
        stdout: before.stdout,
      });
    }
  });
});

describe('new-table', () => {
  it.each(NAMES)('%s: AT_PHDR is right for kernels that compute it from the first PT_LOAD, too', (name) => {
    const options = { ...stampWish, placement: { placement: 'new-table' as const } };
    const { layout } = planStamp(imageAt(pathOf(name)), options);
    if (layout === undefined) throw new Error('nothing was planned');
    const all = layout.segments.filter(({ p_type }) => p_type === 1);
    const [first] = all;
    const last = all.at(-1);
    if (first === undefined || last === undefined) throw new Error('no PT_LOAD');
    expect(layout.header.e_phoff).toBe(last.p_offset);
    expect(last.p_vaddr - last.p_offset).toBe(first.p_vaddr - first.p_offset);
    expect(last).toMatchObject({ p_flags: 4, p_filesz: last.p_memsz });
    // On pages of its own, above all others: brk begins behind it.
    const ends = all.slice(0, -1).map(({ p_vaddr, p_memsz }) => p_vaddr + p_memsz);
    for (const end of ends) expect(last.p_vaddr >> 12n).toBeGreaterThan((end - 1n) >> 12n);
    expect(layout.warnings.join()).not.toContain('5.18');
  });

  it('says so where the .bss is too large for that, and the program runs on kernels since then', () => {
    const source = 'static char big[200 << 20]; int main(void) { return big[100 << 20] + 7; }';
    const path = join(folder.path, 'large-bss');
    spawnSync('gcc', ['-static', '-x', 'c', '-', '-o', path], { input: source });
    const options = { ...stampWish, placement: { placement: 'new-table' as const } };
    const made = written('large-bss', () => planStamp(imageAt(path), options));
    expect(made?.plan.layout?.warnings.join()).toContain('Linux before 5.18');
    expect(made?.plan.layout?.fileSize).toBeLessThan(0x200000n);
    expect(outcome(made?.path ?? '', [])).toMatchObject({ status: 7, signal: null });
  });

  it('is refused by auto where something is appended to the program, and done where it is named', () => {
    const appended = folder.write(
      'appended',
      Buffer.concat([readFileSync(pathOf('static-pie')), Buffer.from('a payload of its own')]),
    );
    expect(() => planStamp(imageAt(appended), stampWish)).toThrow(/20 bytes are appended to it/);
    const named = written('appended', () =>
      planStamp(imageAt(appended), { ...stampWish, placement: { placement: 'new-table' } }),
    );
    expect(outcome(named?.path ?? '', [])).toMatchObject({ status: 42 - 1, signal: null });
  });
});

describe('stamp of a static program', () => {
  it.each(['walker-two-notes', 'static', 'static-pie', 'ldconfig'])('%s: written, and it runs', (name) => {
    const out = join(folder.path, 'stamped');
    const { status, stderr } = runCli(['stamp', pathOf(name), '-o', out, '--package-metadata', 'name=x']);
    expect({ status, failed: stderr.includes('xen-elfpatch: error') }).toEqual({ status: 0, failed: false });
    const before = outcome(pathOf(name), argsOf(name));
    expect(outcome(out, argsOf(name))).toMatchObject({ status: before.status, stdout: before.stdout });
  });

  it('is refused where the notes shall not be in memory, with the reason, and nothing is written', () => {
    const files = readdirSync(folder.path).sort();
    const out = join(folder.path, 'refused');
    const args = ['stamp', pathOf('static'), '-o', out, '--package-metadata', 'name=x', '--not-loaded'];
    const { status, stderr, stdout } = runCli(args);
    expect(stderr).toMatch(/it looks like a program: PT_/);
    expect(stderr).toContain('these notes would have no address');
    expect(stderr).toContain('[plan.program]');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(folder.path).sort()).toEqual(files);
  });

  it.each([
    ['walker-two-notes', 'move-table', 'it misses its headers'],
    ['static-no-id', 'append', 'its thread stacks become executable'],
  ] as const)('%s would have been broken by what %s does to kernels: %s', (name, placement, _) => {
    const options = { ...stampWish, placement: { kind: 'kernel', placement } as const };
    const made = written(name, () => planStamp(imageAt(pathOf(name)), options));
    if (made === undefined) throw new Error('refused');
    const { stdout, status, signal } = outcome(pathOf(name), []);
    expect(outcome(made.path, [])).not.toMatchObject({ stdout, status, signal });
  });
});
