/** Every judge: its package, the images of its table, and when an answer of it and our verdict are the same. */
import { BufferSource } from '../../src/base/bytes/source.js';
import { hex } from '../../src/base/errors/hex.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { LOADER_NAMES } from '../../src/loaders/names.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';
import type { Kernel } from './kernels.js';
import { NOT_ASKED, type Table } from './table.js';
import type { Counts } from './work.js';

/** What is asked of whom. */
export interface JudgeTable {
  /** Of the table. */
  readonly name: string;
  /** The Debian package whose version is that of the program. */
  readonly packageName: string;
  readonly images: Counts;
  /** Why our verdict and this answer differ; undefined where they agree. */
  differs(kernel: Kernel, version: string, answer: string): string | undefined;
}

const MIB = 0x10_0000n;

/** The verdict of the first of these rows that there is, by the rules of that version. */
function verdictOf({ bytes, name }: Kernel, rows: readonly string[], version: string, memory: bigint): Verdict {
  const row = rows.find((each) => LOADER_NAMES.some((known) => known === each)) ?? rows[0] ?? '';
  const [verdict] = judgeLoaders(new BufferSource(bytes, name), { names: [`${row}@${version}`], memory });
  if (verdict === undefined) throw new Error(`no loader ${rows.join(' or ')}`);
  return verdict;
}

/** A verdict in one line, for the list of differences. */
export function told({ outcome, rule, message = '', reason, values, warnings }: Verdict): string {
  const { entry } = values;
  const more = reason === undefined ? '' : ` (${reason})`;
  const end = rule === undefined ? '' : ` by ${rule}: ${message}${more}`;
  const at = typeof entry === 'bigint' ? ` ${hex(entry)}` : '';
  return `${outcome}${at}${end}${warnings.map((warning) => `; ${warning.rule}`).join('')}`;
}

/** Did what stands in front of the file or behind it decide? The verdict says so, and no answer can be held to it. */
function isLuck({ message = '', reason = '', warnings }: Verdict): boolean {
  return /luck/.test(`${message} ${reason} ${warnings.map(({ text }) => text).join(' ')}`);
}

/** What comes before an address; a shared object is moved first, so the address is not that of the file. */
const kind = (message: string): string => message.split('0x')[0] ?? '';

function kexecDiffers(kernel: Kernel, version: string, answer: string): string | undefined {
  const verdict = verdictOf(kernel, ['kexec'], version, 4096n * MIB);
  const { outcome, message = '', warnings } = verdict;
  const same = (): boolean => {
    if (isLuck(verdict)) return true;
    if (answer.startsWith('NO Invalid memory')) {
      return message.startsWith('Invalid memory segment') || warnings.some(({ rule }) => rule === 'pages-of-memory');
    }
    if (accepts(verdict)) return answer === 'TAKEN' || answer === 'SLOW';
    if (outcome === 'crash') return answer.startsWith('SIG');
    return answer.startsWith('NO ') && answer.includes(kind(message));
  };
  return same() ? undefined : told(verdict);
}

export const KEXEC: JudgeTable = {
  name: 'kexec',
  packageName: 'kexec-tools',
  images: { pvh: 500, mb1: 100 },
  differs: kexecDiffers,
};

/** All that a table says and we do not, as lines; `counts`: answers by version and how they begin. */
export function differences(
  judge: JudgeTable,
  { versions, rows }: Table,
  images: readonly Kernel[],
): { readonly lines: readonly string[]; readonly counts: Readonly<Record<string, number>> } {
  const byName = new Map(images.map((kernel) => [kernel.name, kernel]));
  const counts: Record<string, number> = {};
  const lines = rows.flatMap(({ name, bends, answers }) => {
    const kernel = byName.get(name);
    if (kernel === undefined) return [`${name}: no such image`];
    return versions.flatMap((version) => {
      const answer = answers.get(version) ?? NOT_ASKED;
      const key = `${version} ${/^\w+/.exec(answer)?.[0] ?? answer}`;
      counts[key] = (counts[key] ?? 0) + 1;
      if (answer === NOT_ASKED) return [];
      const ours = judge.differs(kernel, version, answer);
      return ours === undefined ? [] : [`${name} (${bends}) ${version}: ${answer} | ours: ${ours}`];
    });
  });
  return { lines, counts };
}
