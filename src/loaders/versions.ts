/**
 * Releases of the programs whose rules are known, and how a version is named: `4.20` is the newest point release of its
 * branch that is known, `4.20.3` that release. Rules say since or until which release of their own program they hold.
 */
import { fail } from '../base/errors/patch-error.js';

/** What versions are counted of. */
export type Product =
  | 'xen'
  | 'qemu'
  | 'firecracker'
  | 'cloud-hypervisor'
  | 'libkrun'
  | 'crosvm'
  | 'openvmm'
  | 'grub'
  | 'limine'
  | 'kexec-tools'
  | 'edk2'
  | 'shim';

/** How the rules of a branch are known. */
export type Evidence = 'booted' | 'asked' | 'read';

/** A branch with the point releases among which one can choose, both ends included; without: the branch is a release. */
interface Branch {
  readonly name: string;
  readonly points?: readonly [first: number, newest: number] | undefined;
  readonly evidence: Evidence;
  /** What changed for the verdicts with it, or with which of its point releases. */
  readonly changed?: string;
}

const xen = (name: string, newest: number, more: Partial<Branch> = {}): Branch => ({
  name,
  points: [0, newest],
  evidence: 'read',
  ...more,
});

/** A branch of which one release each is looked at. */
const releases = (first: number, last: number): Branch[] =>
  Array.from({ length: last - first + 1 }, (_, i) => ({ name: `${first + i}`, points: [0, 0], evidence: 'read' }));

/** The sources behind the newest release that is known. */
const main = (changed: string): Branch => ({ name: MAIN, evidence: 'read', changed });

const DOM0_BIT = 'a PVH dom0 must have the dom0 bit in SUPPORTED_FEATURES, where the note is there';

/** What stands for the sources that no known release has. */
const MAIN = 'main';

/** More than all pairs of a known release and one that a rule names. */
const MOST_ANSWERS = 4096;

/** Oldest first. */
const BRANCHES: Readonly<Record<Product, readonly Branch[]>> = {
  xen: [
    xen('4.7', 6, { changed: 'PHYS32_ENTRY' }),
    xen('4.8', 5),
    xen('4.9', 4),
    xen('4.10', 4),
    xen('4.11', 4, { changed: 'PHYS32_ENTRY alone is enough, in PV too' }),
    xen('4.12', 4),
    xen('4.13', 5),
    xen('4.14', 6, { evidence: 'asked' }),
    xen('4.15', 5),
    xen('4.16', 7, { changed: 'PV and PVH are distinguished: __xen_guest, ENTRY and VIRT_BASE are for PV' }),
    xen('4.17', 7, { evidence: 'booted' }),
    xen('4.18', 6, { changed: 'PADDR_OFFSET without VIRT_BASE no longer matters to PVH; L1_MFN_VALID is known' }),
    xen('4.19', 6, { changed: 'PHYS32_RELOC' }),
    xen('4.20', 4, { evidence: 'booted', changed: `4.20.4: ${DOM0_BIT}` }),
    xen('4.21', 2, { changed: `4.21.2: ${DOM0_BIT}` }),
    xen('4.22', 0, { changed: DOM0_BIT }),
  ],
  qemu: [
    { name: '7.2', points: [0, 22], evidence: 'asked' },
    {
      name: '10.0',
      points: [0, 13],
      evidence: 'asked',
      changed: '10.0.13: p_filesz above p_memsz is refused (10.0.2 still hangs; those between were not asked)',
    },
    { name: '11.1', points: [0, 3], evidence: 'asked' },
  ],
  firecracker: [
    { name: '1.11', points: [0, 0], evidence: 'read' },
    {
      name: '1.12',
      points: [0, 1],
      evidence: 'read',
      changed: 'PHYS32_ENTRY (its pull request 5048); before, every ELF is entered at e_entry',
    },
    { name: '1.13', points: [0, 1], evidence: 'read' },
    { name: '1.14', points: [0, 1], evidence: 'read' },
    { name: '1.15', points: [0, 1], evidence: 'read' },
    { name: '1.16', points: [0, 1], evidence: 'read' },
    main('of July 2026 (1abe0c97f): what is no ELF is tried as a bzImage'),
  ],
  'cloud-hypervisor': [
    {
      name: '32',
      points: [0, 0],
      evidence: 'read',
      changed: 'has linux-loader 0.8.1, which pads notes by p_align; those up to 38 were not looked at',
    },
    { name: '38', points: [0, 0], evidence: 'read', changed: 'notes are padded by 4' },
    {
      name: '39',
      points: [0, 0],
      evidence: 'read',
      changed: 'what is no ELF is tried as a bzImage (its pull request 6200)',
    },
    ...releases(40, 53),
  ],
  libkrun: [
    { name: '1.19', points: [0, 0], evidence: 'read' },
    main('of May 2026 (dc2d320a): PHYS32_ENTRY; before, every ELF is entered at e_entry'),
  ],
  crosvm: [main('of August 2026')],
  openvmm: [main('of 2026 (7f8a8fddd); its PVH loader (vm/loader/src/pvh.rs) is not judged')],
  grub: [
    { name: '2.06', evidence: 'booted' },
    { name: '2.12', evidence: 'booted', changed: 'Multiboot: an ELF file must have a section header table' },
    { name: '2.14', evidence: 'booted' },
  ],
  limine: [main('of October 2024')],
  'kexec-tools': [{ name: '2.0', points: [25, 32], evidence: 'asked' }],
  edk2: [{ name: '2022.11', evidence: 'booted' }],
  shim: [{ name: '16.1', evidence: 'booted', changed: 'lays out and relocates what GRUB 2.14 hands it' }],
};

/** Names of the programs, for people. */
export const PRODUCT_TITLES: Readonly<Record<Product, string>> = {
  xen: 'Xen',
  qemu: 'QEMU',
  firecracker: 'Firecracker',
  'cloud-hypervisor': 'Cloud Hypervisor',
  libkrun: 'libkrun',
  crosvm: 'crosvm',
  openvmm: 'OpenVMM',
  grub: 'GRUB',
  limine: 'Limine',
  'kexec-tools': 'kexec-tools',
  edk2: 'EDK2',
  shim: 'shim',
};

/** One branch as people read of it. */
export interface Release {
  /** The newest known release of the branch. */
  readonly version: string;
  readonly evidence: Evidence;
  readonly changed: string | undefined;
}

/** The branches of a program, oldest first. */
export function releasesOf(product: Product): Release[] {
  return BRANCHES[product].map((branch) => ({
    version: newestOf(branch),
    evidence: branch.evidence,
    changed: branch.changed,
  }));
}

/** The branches by their first and their newest release, oldest first. */
export function branchEnds(product: Product): (readonly [first: string, newest: string])[] {
  return BRANCHES[product].map((branch) => {
    const { name, points } = branch;
    return [points === undefined ? name : `${name}.${points[0]}`, newestOf(branch)];
  });
}

/** Every release of a branch, from one to another. */
export function releasesBetween(first: string, newest: string): string[] {
  const [from, to] = [first, newest].map((release) => Number(release.slice(release.lastIndexOf('.') + 1)));
  const branch = first.slice(0, first.lastIndexOf('.'));
  if (first === newest || from === undefined || to === undefined) return [first];
  return Array.from({ length: to - from + 1 }, (_, i) => `${branch}.${from + i}`);
}

function newestOf({ name, points }: Branch): string {
  return points === undefined ? name : `${name}.${points[1]}`;
}

/** The newest release of a program that is known. */
export function newestVersion(product: Product): string {
  const newest = BRANCHES[product].at(-1);
  return newest === undefined ? '' : newestOf(newest);
}

/** How the rules of that release are known. */
export function evidenceOf(product: Product, version: string): Evidence {
  const branch = BRANCHES[product].find(({ name }) => version === name || version.startsWith(`${name}.`));
  return branch?.evidence ?? 'read';
}

/** The release that a text names, a branch standing for its newest; undefined where none is known by that name. */
export function resolveVersion(product: Product, text: string): string | undefined {
  for (const branch of BRANCHES[product]) {
    const { name, points } = branch;
    if (text === name) return newestOf(branch);
    if (points === undefined || !text.startsWith(`${name}.`)) continue;
    const point = text.slice(name.length + 1);
    const [first, newest] = points;
    return /^(0|[1-9]\d{0,3})$/.test(point) && Number(point) >= first && Number(point) <= newest ? text : undefined;
  }
  return undefined;
}

/** The release that a text names. `given` is what was typed: `--for xen-pv@5`. Errors: `usage.bad`, with those known. */
export function knownVersion(product: Product, text: string, given: string): string {
  const version = resolveVersion(product, text);
  if (version !== undefined) return version;
  const known = BRANCHES[product].map(({ name, points }) =>
    points === undefined || points[0] === points[1]
      ? newestOf({ name, points, evidence: 'read' })
      : `${name}.${points[0]} to ${name}.${points[1]}`,
  );
  const what = `${given}: no such release of ${PRODUCT_TITLES[product]} is known`;
  return fail('usage.bad', {}, { what, hint: `Known are: ${known.join(', ')}` });
}

/** Is `version` this release or a later one? Either may be a branch, which is its newest release. */
export function isSinceRelease(product: Product, version: string, release: string): boolean {
  return since(`${product} ${version} ${release}`, () => {
    const numbers = (text: string) => numbersOf(resolveVersion(product, text) ?? text);
    const [a, b] = [numbers(version), firstOf(product, release)];
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const [left, right] = [a[i] ?? 0, b[i] ?? 0];
      if (left !== right) return left > right;
    }
    return true;
  });
}

/** Answers given before: rules of many loaders ask the same few questions of every image. */
const answers = new Map<string, boolean>();

function since(question: string, ask: () => boolean): boolean {
  const known = answers.get(question);
  if (known !== undefined) return known;
  const answer = ask();
  // A library's caller may make up releases without end.
  if (answers.size < MOST_ANSWERS) answers.set(question, answer);
  return answer;
}

/** A rule that holds since a branch holds since its first release. */
function firstOf(product: Product, release: string): number[] {
  const branch = BRANCHES[product].find(({ name }) => name === release);
  return numbersOf(branch?.points === undefined ? release : `${release}.${branch.points[0]}`);
}

function numbersOf(release: string): number[] {
  return release === MAIN ? [Number.POSITIVE_INFINITY] : release.split('.').map(Number);
}

/** When a rule holds, by the releases of its own program. */
export interface Span {
  /** The first release that has the rule. */
  readonly since?: string;
  /** The first that no longer has it. */
  readonly until?: string;
  /** Point releases of older branches that have it, too, from there on. */
  readonly backported?: readonly string[];
}

/** Does the span include that release? */
export function spans(product: Product, { since, until, backported = [] }: Span, version: string): boolean {
  if (until !== undefined && isSinceRelease(product, version, until)) return false;
  if (since === undefined || isSinceRelease(product, version, since)) return true;
  return backported.some((point) => {
    const branch = point.slice(0, point.lastIndexOf('.'));
    const own = resolveVersion(product, version) ?? version;
    return own.startsWith(`${branch}.`) && isSinceRelease(product, own, point);
  });
}

/** The span in words: `since 4.22 (and 4.20.4, 4.21.2)`. Empty where it always holds. */
export function spanText({ since, until, backported = [] }: Span): string {
  const also = backported.length === 0 ? '' : ` (and from ${backported.join(', ')})`;
  return [since === undefined ? '' : `since ${since}${also}`, until === undefined ? '' : `until ${until}`]
    .filter((part) => part !== '')
    .join(', ');
}
