/** What ran still runs: programs that execve starts are refused, or do after the edit what they did before. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { type PatchPlan, planPatch } from '../../src/edit/elf/pipeline.js';
import { analyze } from '../../src/edit/elf/plan/analyze.js';
import { imageKind } from '../../src/edit/elf/plan/image-kind.js';
import { DEFAULT_PLACEMENT, PLACEMENTS } from '../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../src/edit/elf/render.js';
import { planStamp } from '../../src/edit/stamp/stamp.js';
import { readElf } from '../../src/formats/elf/read.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { runCli, workFolder } from '../support/cli.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** Its exit status is what AT_PHDR and AT_PHNUM lead to: 16 for each PT_LOAD, 1 for a PT_GNU_STACK that forbids to execute. */
const WALKER = `
typedef unsigned long word;
struct phdr { unsigned type, flags; word rest[6]; };
__attribute__((used)) static void walk(word *stack) {
  word *at = stack + 1 + stack[0] + 1, table = 0, count = 0, seen = 0;
  while (*at++) {}
  for (; at[0]; at += 2) {
    if (at[0] == 3) table = at[1];
    if (at[0] == 5) count = at[1];
  }
  for (const volatile struct phdr *p = (void *)table; count--; p++) {
    if (p->type == 1) seen += 16;
    if (p->type == 0x6474e551 && !(p->flags & 1)) seen += 1;
  }
  __asm__ volatile("syscall" : : "a"(231L), "D"(seen));
  __builtin_unreachable();
}
__asm__(".globl _start\\n_start: mov %rsp, %rdi\\n and $-16, %rsp\\n call walk\\n");
`;

/** Thread storage, what dl_iterate_phdr shows, and the rights of a thread's stack. */
const THREADS = `
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stdio.h>
static __thread int own = 41;
static int show(struct dl_phdr_info *info, size_t size, void *data) {
  int loads = 0, tls = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    loads += info->dlpi_phdr[i].p_type == PT_LOAD;
    tls += info->dlpi_phdr[i].p_type == PT_TLS;
  }
  printf("%d loads, %d tls\\n", loads, tls);
  return 1;
}
static void *thread(void *unused) {
  char line[512], rights[8];
  unsigned long from, to, here = (unsigned long)&line;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && here >= from && here < to) printf("stack %s\\n", rights);
  printf("own %d\\n", ++own);
  return 0;
}
int main(void) {
  pthread_t id;
  dl_iterate_phdr(show, 0);
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

/** The plan's result, run; undefined when the plan was refused. */
function ranAfter(name: string, plan: () => PatchPlan): ReturnType<typeof outcome> | undefined {
  try {
    const { image, rendered } = plan();
    const path = folder.write(`${name}.out`, new Uint8Array(0));
    const result = preview(image, rendered);
    writeFileSync(path, result.read(0n, result.size, 'test'));
    chmodSync(path, 0o755);
    return outcome(path, argsOf(name));
  } catch (error) {
    if (error instanceof PatchError && /^plan\.(impossible|program)$/.test(error.id)) return undefined;
    throw error;
  }
}

const read = (name: string) => readElf(new BufferSource(readFileSync(pathOf(name)), name));
const stampWish = { metadata: { name: 'x' }, members: {}, buildId: undefined, notes: [], remove: [], placement: {} };

describe.each(NAMES)('%s', (name) => {
  it('is seen as a program', () => {
    expect(imageKind(analyze(read(name)))).toMatchObject({ kind: 'program', by: 'signs' });
  });

  it('does what it did after every placement that is not refused', () => {
    const before = outcome(pathOf(name), argsOf(name));
    expect(before.signal).toBeNull();
    expect(before.stderr).toBe('');
    const edits = [{ kind: 'set' as const, setting: parseSetting('GUEST_OS=os') }];
    const ran = (['auto', ...PLACEMENTS] as const).flatMap((placement) => {
      const options = { ...DEFAULT_PLACEMENT, placement };
      const after = [
        ranAfter(name, () => planPatch(read(name), edits, options)),
        ranAfter(name, () => planStamp(read(name), { ...stampWish, placement: { placement } })),
      ];
      for (const one of after) if (one !== undefined) expect({ placement, ...one }).toEqual({ placement, ...before });
      return after.every((one) => one === undefined) ? [] : [placement];
    });
    console.log(`${name}: ${ran.length === 0 ? 'refused' : `runs after ${ran.join(', ')}`}`);
  });
});

describe('stamp of a static program', () => {
  it.each(['walker-two-notes', 'static', 'static-pie', 'ldconfig'])(
    '%s: refused with the reason, nothing written',
    (name) => {
      const files = readdirSync(folder.path).sort();
      const { status, stderr, stdout } = runCli([
        'stamp',
        pathOf(name),
        '-o',
        join(folder.path, 'stamped'),
        '--package-metadata',
        'name=x',
      ]);
      expect(stderr).toMatch(/it looks like a program: PT_/);
      expect(stderr).toContain('[plan.program]');
      expect(stderr).toMatch(/hint: .*--kind kernel/);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(readdirSync(folder.path).sort()).toEqual(files);
    },
  );

  it.each([
    ['walker-two-notes', 'move-table', 'it misses its headers'],
    ['static', 'append', 'its thread stacks become executable'],
  ] as const)('%s would have been broken by what %s does to kernels: %s', (name, placement, _) => {
    const options = { ...stampWish, placement: { kind: 'kernel', placement } as const };
    const after = ranAfter(name, () => planStamp(read(name), options));
    expect(after).toBeDefined();
    expect(after).not.toEqual(outcome(pathOf(name), []));
  });
});
