/** Every judge: its package, the images of its table, and when an answer of it and our verdict are the same. */
import { BufferSource } from '../../src/base/bytes/source.js';
import { hex } from '../../src/base/errors/hex.js';
import { PT_LOAD } from '../../src/formats/elf/names.js';
import { findMb1 } from '../../src/formats/multiboot/mb1.js';
import { QEMU_MB1 } from '../../src/formats/multiboot/windows.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { LOADER_NAMES } from '../../src/loaders/names.js';
import { lenientElf } from '../../src/loaders/read/lenient-elf.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';
import { dom0Kernels } from './dom0.js';
import type { Kernel } from './kernels.js';
import { NOT_ASKED, type Table } from './table.js';
import { type Counts, freshImages, imagesOf } from './work.js';

/** What is asked of whom. */
export interface JudgeTable {
  /** Of the table. */
  readonly name: string;
  /** Its images. */
  images(): Kernel[];
  /** Those of these seeds, where it has seeds. */
  fresh(from: number, to: number): Kernel[];
  /** Images about which we differ and why that stands; one on which we agree must be taken off. */
  readonly gaps?: Readonly<Record<string, string>>;
  /** Does the answer hang on time or on what memory has there, as our verdict says? It may be another each time. */
  isLuck?(kernel: Kernel, version: string): boolean;
  /** Why our verdict and this answer differ; undefined where they agree. */
  differs(kernel: Kernel, version: string, answer: string): string | undefined;
}

const MIB = 0x10_0000n;

/** Images by how many of each flavour. */
function byCounts(counts: Counts): Pick<JudgeTable, 'images' | 'fresh'> {
  return { images: () => imagesOf(counts), fresh: (from, to) => freshImages(counts, from, to) };
}

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
  return /luck|may crash|behind the end of the file|what memory has there|memory behind it|in other memory/.test(
    `${message} ${reason} ${warnings.map(({ text }) => text).join(' ')}`,
  );
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
    // It takes what it enters where nothing was loaded, and ends before it would.
    const taken = accepts(verdict) || verdict.rule === 'entry-in-a-segment';
    if (taken) return answer === 'TAKEN' || answer === 'SLOW';
    if (outcome === 'crash') return answer.startsWith('SIG');
    return answer.startsWith('NO ') && answer.includes(kind(message));
  };
  return same() ? undefined : told(verdict);
}

export const KEXEC: JudgeTable = {
  name: 'kexec',
  ...byCounts({ pvh: 500, mb1: 100 }),
  differs: kexecDiffers,
};

/** Do the file's bytes at that physical address lead to the stub, as the image is loaded? */
function entersCode({ bytes, stub }: Kernel, entry: bigint): boolean {
  const source = new BufferSource(bytes);
  const { fields, offset } = findMb1(source, QEMU_MB1) ?? {};
  if (fields !== undefined && offset !== undefined) {
    if (fields.load_end_addr !== 0n && entry >= fields.load_end_addr) return false;
    return stub.leads(offset - (fields.header_addr - fields.load_addr) + entry - fields.load_addr);
  }
  const encoding = { bits: bytes[4] === 2 ? 64 : 32, endian: 'little' } as const;
  const { segments } = lenientElf(source, encoding, { stride: 'own-size', sections: false });
  return segments.some(
    (s) =>
      s.p_type === PT_LOAD &&
      entry >= s.p_paddr &&
      entry - s.p_paddr < s.p_filesz &&
      s.p_paddr + s.p_filesz >= entry + stub.left(s.p_offset + entry - s.p_paddr) &&
      stub.leads(s.p_offset + entry - s.p_paddr),
  );
}

function qemuDiffers(kernel: Kernel, version: string, answer: string): string | undefined {
  const { entry, told: ours, luck, reaches, astray, dies, message } = qemuVerdict(kernel, version);
  if (luck) return undefined;
  const [first = '', end = ''] = answer.split(' ');
  const same = (): boolean => {
    if (first.startsWith('SIG')) return dies;
    if (first === 'HANG') return dies;
    if (first === 'NO') return entry === undefined && !dies && answer.toLowerCase().includes(message.toLowerCase());
    // Entered where nothing was loaded: what stands there may lead to the code all the same.
    if (astray) return true;
    // Loaded: the entry is the same where both reach it, and a no of ours means that it is not reached.
    if (end === 'reached') return reaches && entry !== undefined && first === hex(entry);
    // No loader can know that what it enters is not what was linked there.
    return !reaches || (entry !== undefined && first === hex(entry) && !entersCode(kernel, entry));
  };
  return same() ? undefined : ours;
}

/** Rules by which the guest is lost, where its stub may be reached all the same: by accident, or without its data. */
const ENTRY_RULES: ReadonlySet<string> = new Set([
  'entry-in-a-segment',
  'entry-in-the-load',
  'in-memory',
  'load-in-memory',
]);

/** The verdict on QEMU's `-kernel`, by whichever of its rows the image goes. */
function qemuVerdict(kernel: Kernel, version: string) {
  const memory = 256n * MIB;
  const pvh = verdictOf(kernel, ['qemu-pvh'], version, memory);
  const verdict =
    pvh.rule === 'not-multiboot' && MULTIBOOT_ROW !== undefined
      ? verdictOf(kernel, [MULTIBOOT_ROW], version, memory)
      : pvh;
  const { outcome, message = '', values } = verdict;
  const byMultiboot = /entered at (0x[0-9a-f]+)/.exec(message)?.[1];
  const astray = [verdict.rule, ...verdict.warnings.map(({ rule }) => rule)].some((rule) => ENTRY_RULES.has(`${rule}`));
  const reaches = (accepts(verdict) && !astray) || byMultiboot !== undefined;
  const own = values['entry'];
  const entry = byMultiboot !== undefined ? BigInt(byMultiboot) : reaches && typeof own === 'bigint' ? own : undefined;
  return { entry, told: told(verdict), luck: isLuck(verdict), reaches, astray, dies: outcome === 'crash', message };
}

/** QEMU's row for Multiboot, if there is one. */
const MULTIBOOT_ROW = LOADER_NAMES.find((name) => `${name}` === 'qemu-multiboot');

/** QEMU's `-kernel` with 256 MiB. */
export const QEMU: JudgeTable = {
  name: 'qemu',
  ...byCounts({ pvh: 350, mb1: 250 }),
  gaps: {
    'mb1:201': 'bss_end_addr 0xffffffff: QEMU did not end in time over 4 GiB of zeros',
  },
  isLuck: (kernel, version) => qemuVerdict(kernel, version).luck,
  differs: qemuDiffers,
};

function grubVerdict(kernel: Kernel, version: string): Verdict {
  const rows = kernel.name.startsWith('mb2') ? ['grub-multiboot2', 'multiboot2'] : ['grub-multiboot', 'multiboot'];
  return verdictOf(kernel, rows, version, 256n * MIB);
}

function grubDiffers(kernel: Kernel, version: string, answer: string): string | undefined {
  const verdict = grubVerdict(kernel, version);
  const { outcome, message = '' } = verdict;
  const same = (): boolean => {
    if (isLuck(verdict)) return true;
    if (answer.startsWith('0x')) return accepts(verdict) && isThere(verdict, BigInt(answer));
    const astray = verdict.warnings.some(({ rule }) => rule === 'linear-load' || ENTRY_RULES.has(rule));
    if (!answer.startsWith('NO ') && astray) return true;
    if (answer.startsWith('NO ')) return outcome === 'refused' && answer.includes(message);
    // Not a word, or loaded and not reached: a refusal in GRUB's words does not foretell that.
    return outcome === 'crash';
  };
  return same() ? undefined : told(verdict);
}

/** Is that the entry of the verdict, or where it comes to with an image that GRUB moves? */
function isThere({ values: { entry, moved } }: Verdict, reached: bigint): boolean {
  if (typeof entry !== 'bigint') return false;
  const [, unit] = /multiple of (0x[0-9a-f]+)/.exec(typeof moved === 'string' ? moved : '') ?? [];
  return unit === undefined ? entry === reached : (reached - entry) % BigInt(unit) === 0n;
}

/** GRUB on a PC with 256 MiB, by its commands multiboot and multiboot2. */
export const GRUB: JudgeTable = {
  name: 'grub',
  ...byCounts({ mb1: 80, mb2: 100 }),
  isLuck: (kernel, version) => isLuck(grubVerdict(kernel, version)),
  differs: grubDiffers,
};

function grubFileDiffers(kernel: Kernel, version: string, answer: string): string | undefined {
  const [mb1, mb2, wide, narrow] = answer.split(' ');
  const judge = (...rows: string[]) => verdictOf(kernel, rows, version, 256n * MIB);
  // It finds a Multiboot2 header of any architecture, the loader only its own.
  const found = ({ message, reason = '' }: Verdict): string =>
    message !== 'no multiboot header found' || reason.includes('architecture') ? 'y' : 'n';
  const multiboot = [judge('grub-multiboot', 'multiboot'), judge('grub-multiboot2', 'multiboot2')];
  const xen = judge('grub-xen');
  const { arch } = xen.values;
  // It does not go on to look at VIRT_BASE, by which the architecture would be known.
  const isAsked = !isLuck(xen) && xen.rule !== 'virt-base-page-aligned';
  const isNarrow = `${arch}`.startsWith('i386-pae') && kernel.bytes[4] !== 2;
  const ours = [...multiboot.map(found), ...(isAsked ? [arch === 'x86_64' ? 'y' : 'n', isNarrow ? 'y' : 'n'] : [])];
  const theirs = [mb1, mb2, ...(isAsked ? [wide, narrow] : [])];
  return ours.join() === theirs.join() ? undefined : `${ours.join(' ')}; ${told(xen)}`;
}

/** grub-file of all that GRUB can be asked without a machine. */
export const GRUB_FILE: JudgeTable = {
  name: 'grub-file',
  ...byCounts({ pv: 300, mb1: 100, mb2: 100 }),
  differs: grubFileDiffers,
};

/** `4.17.7 with 128 MiB` */
function dom0Differs(kernel: Kernel, column: string, answer: string): string | undefined {
  const [release = '', , mebibytes = '0'] = column.split(' ');
  const row = kernel.name.startsWith('dom0-pvh') ? 'xen-dom0-pvh' : 'xen-dom0-pv';
  const verdict = verdictOf(kernel, [row], release, BigInt(mebibytes) * MIB);
  const { message = '' } = verdict;
  const same = (): boolean => {
    if (answer === 'booted') return accepts(verdict);
    if (accepts(verdict)) return false;
    // What is refused in Xen's words is refused by that; what is lost later is told in ours.
    return verdict.outcome !== 'refused' || message.startsWith('(') || answer.includes(message);
  };
  return same() ? undefined : told(verdict);
}

/** Xen with a kernel for dom0, with two sizes of memory. */
export const XEN_DOM0: JudgeTable = {
  name: 'xen-dom0',
  images: dom0Kernels,
  fresh: () => [],
  differs: dom0Differs,
};

/** The tables, as they are committed. */
export const JUDGES: readonly JudgeTable[] = [KEXEC, GRUB_FILE, QEMU, GRUB, XEN_DOM0];

/** All that a table says and we do not, as lines; `counts`: answers by version and how they begin. */
export function differences(
  judge: JudgeTable,
  { versions, rows }: Table,
  images: readonly Kernel[],
): { readonly lines: readonly string[]; readonly counts: Readonly<Record<string, number>> } {
  const byName = new Map(images.map((kernel) => [kernel.name, kernel]));
  const counts: Record<string, number> = {};
  const { gaps = {} } = judge;
  const closing = new Set<string>();
  const lines = rows.flatMap(({ name, bends, answers }) => {
    const kernel = byName.get(name);
    if (kernel === undefined) return [`${name}: no such image`];
    return versions.flatMap((version) => {
      const answer = answers.get(version) ?? NOT_ASKED;
      const key = `${version} ${/^\w+/.exec(answer)?.[0] ?? answer}`;
      counts[key] = (counts[key] ?? 0) + 1;
      if (answer === NOT_ASKED) return [];
      const ours = judge.differs(kernel, version, answer);
      if (ours === undefined) return [];
      if (name in gaps) {
        closing.add(name);
        return [];
      }
      return [`${name} (${bends}) ${version}: ${answer} | ours: ${ours}`];
    });
  });
  const closed = Object.keys(gaps).filter((name) => byName.has(name) && !closing.has(name));
  return { lines: [...lines, ...closed.map((name) => `${name}: the gap is closed, take it off`)], counts };
}
