/**
 * Asks Xen: boots each kernel as dom0 under the hypervisor as shipped, in QEMU, with so much memory. Booted is what came to its
 * last line with its data as linked.
 */
import { rmSync } from 'node:fs';
import { ImageFolder } from '../oracle/programs.js';
import { hypervisorPairs } from '../support/images.js';
import { bootUnderXen, panicOf, xenLines } from '../support/xen-boot.js';
import type { Kernel } from './kernels.js';
import type { Judge, Judges } from './roots.js';
import { askAll, imageFile } from './work.js';

/** MiB of the machine; Xen takes some 40 of them for itself. */
const MEMORIES = [128, 1024] as const;
const LIMIT = 60_000;
/** Lines in front of the panic among which the reason is: each caller adds its own. */
const TOLD = 4;
/** What Xen prints once dom0 is lost, and waits. */
const ENDS = /Reboot in five seconds|rebooting machine/;

/** A column: `4.17.7 with 128 MiB`. */
export interface Column {
  readonly release: string;
  readonly mebibytes: number;
}

/** What a column is about. */
export function columnOf(version: string): Column {
  const [, release = '', mebibytes = ''] = /^(\S+) with (\d+) MiB$/.exec(version) ?? [];
  return { release, mebibytes: Number(mebibytes) };
}

/** The newest hypervisor of each series that was to be had, with either memory. */
export function xenJudges(): Judges {
  const { pairs, missing } = hypervisorPairs();
  const newest = new Map(
    pairs.map(({ version, xen }) => {
      const release = /^\d+\.\d+\.\d+/.exec(version)?.[0] ?? version;
      return [release.split('.').slice(0, 2).join('.'), { release, xen, version }] as const;
    }),
  );
  const judges = [...newest.values()].flatMap(({ release, xen, version }) =>
    MEMORIES.map((mebibytes): Judge => {
      const root = { name: `xen-${version}`, path: xen, versions: {} };
      return { root, version: `${release} with ${mebibytes} MiB` };
    }),
  );
  return { judges, missing };
}

/** One hypervisor with one size of memory. */
export class XenDom0 {
  readonly #folder = new ImageFolder();
  readonly #hypervisor: string;
  readonly #memory: number;

  constructor({ root, version }: Judge) {
    this.#hypervisor = root.path;
    this.#memory = columnOf(version).mebibytes;
  }

  /** About all of them, two at a time. */
  all(images: readonly Kernel[]): Promise<Map<string, string>> {
    return askAll(images, (kernel) => this.#ask(kernel));
  }

  async #ask(kernel: Kernel): Promise<string> {
    const path = imageFile(this.#folder.path, kernel);
    const boot = await bootUnderXen(path, {
      pvh: kernel.name.startsWith('dom0-pvh'),
      hypervisor: this.#hypervisor,
      memory: this.#memory,
      limit: LIMIT,
      stopAt: ENDS,
      // What Xen and the kernel write is on the wire before they go on: a kernel that ends at once would take it along.
      xen: 'sync_console',
    });
    rmSync(path);
    const lines = xenLines(boot);
    const panic = panicOf(boot);
    if (panic !== undefined) return `NO ${reasonIn(lines)}${panic}`.trim();
    if (/crashed/.test(lines)) return 'crashed';
    const good = ['MARK data ok', 'MARK bss ok', 'MARK done'].every((mark) => lines.includes(mark));
    return good ? 'booted' : lines.includes('MARK') ? 'wrong data' : `lost ${boot.verdict}`;
  }

  remove(): void {
    this.#folder.remove();
  }
}

/** The lines in front of the panic's box that say why, and none where they only report. */
function reasonIn(lines: string): string {
  const before = lines.slice(0, lines.indexOf('****')).trimEnd().split('\n').slice(-TOLD);
  const telling = before.filter((line) =>
    /ERROR|Invalid|fail|Fail|\bnot\b|Not|Unable|conflict|overlap|Mismatch/.test(line),
  );
  return telling.map((line) => `${line.trim()} / `).join('');
}
