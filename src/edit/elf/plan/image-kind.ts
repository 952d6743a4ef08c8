/**
 * Is an image a kernel, which a boot loader starts from the file, or a program, which execve starts and which then reads its
 * own headers in memory? Every sign is a row; a kernel's signs win over a program's, because kernels borrow parts of programs
 * (PT_TLS in unikernels, PT_DYNAMIC in BSD's) and no program borrows those of kernels. Xen notes that an edit put there are no
 * sign, and where no section headers tell who did, they do not win over what only programs have.
 */
import { rangeOf } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import { addressSpace, loads } from '../../../formats/elf/image.js';
import { EM_386, EM_X86_64, PT_DYNAMIC, PT_GNU_STACK, PT_INTERP, PT_TLS } from '../../../formats/elf/names.js';
import { distinctAreas } from '../../../formats/note/areas.js';
import { GNU, NT_GNU_ABI_TAG } from '../../../formats/note/note-types.js';
import { ownerOf } from '../../../formats/note/record.js';
import { isOfEdits } from './added-sections.js';
import type { Analysis } from './analyze.js';
import type { ImageKind } from './placement-options.js';

/** One thing that tells a kernel from a program. */
export interface Sign {
  readonly name: string;
  readonly of: ImageKind;
  /** Where the image shows it, in words for a message; undefined: nowhere. */
  readonly seen: (analysis: Analysis) => string | undefined;
  /** Why it tells, and who says so. */
  readonly why: string;
}

/** What an image is, and what decided. */
export interface KindAnswer {
  readonly kind: ImageKind;
  /** `asked`: the person said so. `signs`: those listed. `nothing`: no sign of either; a tool for kernels takes it for one. */
  readonly by: 'asked' | 'signs' | 'nothing';
  /** The signs of that kind, in words, in table order. */
  readonly signs: readonly { readonly name: string; readonly words: string }[];
}

const EI_OSABI = 7;
const ELFOSABI_GNU = 3;
/** Owners that linkers and start-up files use for it in programs; BSD's owners stand in kernels as well. */
const ABI_TAG_OWNERS: ReadonlySet<string> = new Set([GNU, 'Android']);
/** Interpreters that no system has: FreeBSD's kernels, and Solo5's unikernels, whose tender reads the headers from the file. */
const NO_INTERPRETERS: ReadonlySet<string> = new Set(['/red/herring', '/nonexistent/solo5/']);
/** A path that execve takes is shorter than this (Linux, PATH_MAX). */
const PATH_LIMIT = 4096n;
/** Where PCs' memory behind the BIOS begins and kernels are linked; linkers put programs at 2 MiB or above, or at 0. */
const PC_KERNEL = rangeOf(0x100000n, 0x100000n);

/** The signs that an image is a kernel or a program. */
export const SIGNS: readonly Sign[] = [
  {
    name: 'xen-notes',
    of: 'kernel',
    seen: xenNotes,
    why: 'its builder meant it for Xen (xen/include/public/elfnote.h)',
  },
  {
    name: 'xen-guest',
    of: 'kernel',
    seen: ({ xen }) => (xen.legacySection === undefined ? undefined : '__xen_guest'),
    why: 'the form of the notes that Xen read before there were any',
  },
  {
    name: 'multiboot',
    of: 'kernel',
    seen: ({ multiboot: [header] }) =>
      header === undefined ? undefined : `a Multiboot ${header.version} header at ${hex(header.offset)}`,
    why: 'boot loaders look for it at the start of a file (Multiboot 0.6.96, Multiboot2)',
  },
  {
    name: 'physical-addresses',
    of: 'kernel',
    seen: physicalAddresses,
    why: 'execve knows no physical addresses, and linkers make them equal for programs (gABI, "Program Header")',
  },
  {
    name: 'upper-half',
    of: 'kernel',
    seen: upperHalf,
    why: 'systems keep the upper half of the addresses for themselves, and execve maps nothing there',
  },
  {
    name: 'no-interpreter',
    of: 'kernel',
    seen: (analysis) => interpreter(analysis, (path) => NO_INTERPRETERS.has(path)),
    why: 'the interpreter is one that no system has, so that execve fails (FreeBSD, sys/conf/kern.pre.mk; Solo5, elf_abi.h)',
  },
  {
    name: 'interpreter',
    of: 'program',
    seen: (analysis) => interpreter(analysis, (path) => !NO_INTERPRETERS.has(path)),
    why: 'execve starts the interpreter, which finds the program by AT_PHDR (gABI, "Program Interpreter")',
  },
  {
    name: 'tls',
    of: 'program',
    seen: (analysis) => segmentOf(analysis, PT_TLS, 'PT_TLS'),
    why: 'a libc finds the template of its threads by AT_PHDR (ELF Handling For Thread-Local Storage)',
  },
  {
    name: 'dynamic',
    of: 'program',
    seen: (analysis) => segmentOf(analysis, PT_DYNAMIC, 'PT_DYNAMIC'),
    why: 'it is linked at run time, by ld.so or by its own start-up code, which goes by AT_PHDR (gABI, "Dynamic Section")',
  },
  {
    name: 'abi-tag',
    of: 'program',
    seen: abiTag,
    why: 'start-up files of a libc say with it which system they need (LSB, "ABI note tag")',
  },
  {
    name: 'gnu-osabi',
    of: 'program',
    seen: ({ image }) => (image.ident[EI_OSABI] === ELFOSABI_GNU ? 'EI_OSABI GNU' : undefined),
    why: 'its symbols need a GNU libc (STT_GNU_IFUNC, STB_GNU_UNIQUE)',
  },
  {
    name: 'stack-rights',
    of: 'program',
    seen: stackRights,
    why:
      'linkers load the headers and say what the stack may be for what execve starts; kernels’ linker scripts put the ' +
      'headers in front of the first PT_LOAD',
  },
];

/** What an image is. `asked` outweighs every sign; it is for images whose signs fail. Errors: those of the image's source. */
export function imageKind(analysis: Analysis, asked?: ImageKind): KindAnswer {
  if (asked !== undefined) return { kind: asked, by: 'asked', signs: [] };
  const signsOf = (kind: ImageKind) =>
    SIGNS.filter(({ of }) => of === kind).flatMap(({ name, seen }) => {
      const words = seen(analysis);
      return words === undefined ? [] : [{ name, words }];
    });
  const kernel = signsOf('kernel');
  if (kernel.some(({ name }) => name !== ADDED_BY_EDITS)) return { kind: 'kernel', by: 'signs', signs: kernel };
  const program = signsOf('program');
  if (kernel.length > 0 && !program.some(({ name }) => OF_PROGRAMS_ONLY.has(name))) {
    return { kind: 'kernel', by: 'signs', signs: kernel };
  }
  if (program.length > 0) return { kind: 'program', by: 'signs', signs: program };
  return { kind: 'kernel', by: 'nothing', signs: [] };
}

/** The one sign of a kernel that an edit puts into an image: a program that got Xen notes goes on to be one. */
const ADDED_BY_EDITS = 'xen-notes';
/** What no kernel borrows from programs. */
const OF_PROGRAMS_ONLY: ReadonlySet<string> = new Set(['interpreter', 'abi-tag', 'gnu-osabi']);

/** What decided, for a message: `it looks like a program: PT_TLS 5, EI_OSABI GNU`. */
export function kindWords({ kind, by, signs }: KindAnswer): string {
  if (by === 'asked') return `it is to be taken for a ${kind}`;
  if (by === 'nothing') return `nothing shows what it is, and it is taken for a ${kind}`;
  return `it looks like a ${kind}: ${signs.map(({ words }) => words).join(', ')}`;
}

/** Notes that an edit put there, in a section behind all that a linker writes, are no word of the builder. */
function xenNotes(analysis: Analysis): string | undefined {
  const { xen, areas } = analysis;
  if (xen.refused !== undefined) return 'Xen notes';
  const added = new Set(
    distinctAreas(areas, 'section')
      .filter(({ index }) => isOfEdits(analysis, index))
      .flatMap(({ walk }) => walk.records.map(({ offset }) => offset)),
  );
  return xen.notes.some(({ record }) => !added.has(record.offset)) ? 'Xen notes' : undefined;
}

function segmentOf({ image }: Analysis, p_type: number, name: string): string | undefined {
  const index = image.segments.findIndex((s) => s.p_type === p_type);
  return index < 0 ? undefined : `${name} ${index}`;
}

/** A p_paddr that is not the p_vaddr. All of them 0 says nothing: some linkers leave the field empty in programs. */
function physicalAddresses({ image }: Analysis): string | undefined {
  const placed = loads(image).filter(({ segment }) => segment.p_memsz > 0n);
  if (placed.every(({ segment }) => segment.p_paddr === 0n)) return undefined;
  const apart = placed.find(({ segment: s }) => s.p_paddr !== s.p_vaddr);
  return apart && `p_paddr ${hex(apart.segment.p_paddr)} of PT_LOAD ${apart.index} is not its p_vaddr`;
}

function upperHalf({ image }: Analysis): string | undefined {
  const half = addressSpace(image.encoding) / 2n;
  const high = loads(image).find(({ segment: s }) => s.p_memsz > 0n && s.p_vaddr >= half);
  return high && `PT_LOAD ${high.index} is at ${hex(high.segment.p_vaddr)}`;
}

function interpreter({ image }: Analysis, wanted: (path: string) => boolean): string | undefined {
  const index = image.segments.findIndex((s) => s.p_type === PT_INTERP);
  const segment = image.segments[index];
  if (segment === undefined) return undefined;
  const { source } = image;
  const start = segment.p_offset < source.size ? segment.p_offset : source.size;
  const size = [segment.p_filesz, PATH_LIMIT, source.size - start].reduce((a, b) => (a < b ? a : b));
  const [path = ''] = String.fromCharCode(...source.read(start, size, 'PT_INTERP')).split('\0');
  return wanted(path) ? `PT_INTERP ${index}` : undefined;
}

function abiTag({ areas }: Analysis): string | undefined {
  const area = distinctAreas(areas).find(({ walk }) =>
    walk.records.some(({ name, type }) => type === NT_GNU_ABI_TAG && ABI_TAG_OWNERS.has(ownerOf(name))),
  );
  return area && `an ABI tag in ${area.name}`;
}

/** PT_GNU_STACK, an entry that a user address can be, and headers in memory: what linkers make by default. */
function stackRights({ image, tableLoad }: Analysis): string | undefined {
  const stack = image.segments.findIndex((s) => s.p_type === PT_GNU_STACK);
  const placed = loads(image).filter(({ segment }) => segment.p_memsz > 0n);
  if (stack < 0 || tableLoad === undefined || placed.length === 0) return undefined;
  const { e_entry, e_machine } = image.header;
  const base = placed.map(({ segment }) => segment.p_vaddr).reduce((a, b) => (a < b ? a : b));
  const isPc = e_machine === EM_386 || e_machine === EM_X86_64;
  const isUser = e_entry < addressSpace(image.encoding) / 2n;
  if (!isUser || (isPc && base >= PC_KERNEL.start && base < PC_KERNEL.end)) return undefined;
  return `PT_GNU_STACK ${stack} with the entry ${hex(e_entry)}`;
}
