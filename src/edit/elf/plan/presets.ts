/**
 * Presets: named sets of notes whose values the image itself tells. A preset never guesses: what the image does not tell
 * is a refusal that names the note (`plan.preset-missing`).
 */

import { hex } from '../../../base/errors/hex.js';
import { fail } from '../../../base/errors/patch-error.js';
import { paddr, type Vaddr, vaddr } from '../../../formats/elf/address.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import { type ElfImage, loadAtPaddr, loadAtVaddr, loads, toPhysical } from '../../../formats/elf/image.js';
import { EM_386, EM_X86_64, machineName } from '../../../formats/elf/names.js';
import type { Resolver } from '../../../formats/note/evaluate.js';
import { featureMask } from '../../../formats/note/features.js';
import { didYouMean } from '../../../formats/note/nearest.js';
import { XEN_ELFNOTE } from '../../../formats/note/note-types.js';

/** Names made for the PVH entry: Linux, Xen, FreeBSD, NetBSD, then common habits. */
export const PVH_START_SYMBOLS = [
  'pvh_start_xen',
  '__pvh_start',
  'xen_start32',
  'start_xen32',
  'pvh_entry',
  'pvh_start',
  '_pvh_start',
];
/** Linux's name for its PV entry; other kernels say it in e_entry. */
export const PV_START_SYMBOL = 'startup_xen';
/** Any kernel's start. It says nothing about the mode in which the code expects to be entered. */
export const START_SYMBOL = '_start';
const HYPERCALL_PAGE_SYMBOL = 'hypercall_page';

/** All symbols that presets ask for, to be looked up in one go. */
export const PRESET_SYMBOLS: readonly string[] = [
  ...PVH_START_SYMBOLS,
  PV_START_SYMBOL,
  START_SYMBOL,
  HYPERCALL_PAGE_SYMBOL,
];

const BASES = ['pv', 'pv32', 'pvh'] as const;
type Base = (typeof BASES)[number];

/** Every preset that there is. */
export const PRESET_NAMES: readonly string[] = [...BASES, 'pv+pvh', 'pv32+pvh'].flatMap((name) => [
  name,
  `${name}+dom0`,
]);

/** A preset as parsed: the kinds of guest, and whether the kernel shall be a dom0. */
export interface Preset {
  readonly name: string;
  readonly bases: readonly Base[];
  readonly dom0: boolean;
}

/** `pv+pvh+dom0` to its parts. Errors: `plan.unknown-preset`. */
export function parsePreset(name: string): Preset {
  const words = name.toLowerCase().split('+');
  const bases = BASES.filter((base) => words.includes(base));
  const known = words.every((word) => word === 'dom0' || BASES.some((base) => base === word));
  const repeats = new Set(words).size !== words.length;
  if (!known || repeats || bases.length === 0 || (bases.includes('pv') && bases.includes('pv32'))) {
    fail(
      'plan.unknown-preset',
      {},
      {
        name,
        known: 'pv, pv32, pvh, pv+pvh or pv32+pvh, with +dom0 if wanted',
        hint: didYouMean(name, PRESET_NAMES),
      },
    );
  }
  return { name, bases, dom0: words.includes('dom0') };
}

/** A note that a preset asks for. */
export interface PresetNote {
  readonly type: number;
  readonly value: string | bigint;
  /** Bits to be set in the value that is there, instead of replacing it. */
  readonly merge?: true;
  /** Said to the user when a value rests on a convention rather than on a name made for it. */
  readonly caution?: string;
}

/** What a preset may look at. */
export interface PresetInput {
  readonly preset: Preset;
  readonly resolver: Resolver;
  /**
   * Types that the user sets explicitly; they are not worked out, so that a preset does not refuse for want of what was
   * given.
   */
  readonly given: ReadonlySet<number>;
  /** The number in a note that the image has already. */
  present(type: number): bigint | undefined;
}

/**
 * The notes of a preset for this image. For an address the evidence is weighed in this order: a symbol whose name is made
 * for it; the note that is there, when it points into the image; a general start symbol or e_entry.
 */
export function presetNotes(input: PresetInput): PresetNote[] {
  const { preset, given } = input;
  const notes: PresetNote[] = [];
  for (const base of preset.bases) {
    checkMachine(preset, base, input.resolver.image);
    notes.push(...(base === 'pvh' ? pvhNotes(input) : pvNotes(input, base)));
  }
  if (preset.dom0)
    notes.push({ type: XEN_ELFNOTE.SUPPORTED_FEATURES, value: BigInt(featureMask('dom0')), merge: true });
  return notes.filter(({ type }) => !given.has(type));
}

function checkMachine(preset: Preset, base: Base, { encoding, header, source }: ElfImage): void {
  const { bits, endian } = encoding;
  const machine = header.e_machine;
  const wanted = {
    pv: { text: 'ELF64 EM_X86_64', ok: bits === 64 && machine === EM_X86_64 },
    pv32: { text: 'ELF32 EM_386', ok: bits === 32 && machine === EM_386 },
    pvh: { text: 'EM_X86_64 or EM_386', ok: machine === EM_X86_64 || machine === EM_386 },
  }[base];
  if (wanted.ok && endian === 'little') return;
  const found = `ELF${bits} ${machineName(machine)}, ${endian}-endian`;
  fail(
    'plan.preset-mismatch',
    { file: source.name },
    { preset: preset.name, wanted: `${wanted.text}, little-endian`, found },
  );
}

function missing(preset: Preset, image: ElfImage, note: string, why: string): never {
  fail('plan.preset-missing', { file: image.source.name }, { preset: preset.name, note, why });
}

function* pvNotes(input: PresetInput, base: Base): Generator<PresetNote> {
  const { given, resolver } = input;
  yield { type: XEN_ELFNOTE.XEN_VERSION, value: 'xen-3.0' };
  yield { type: XEN_ELFNOTE.LOADER, value: 'generic' };
  yield* baseNotes(input);
  if (!given.has(XEN_ELFNOTE.ENTRY)) yield { type: XEN_ELFNOTE.ENTRY, value: pvEntry(input) };
  const hypercallPage = resolver.optional(HYPERCALL_PAGE_SYMBOL);
  if (hypercallPage !== undefined) yield { type: XEN_ELFNOTE.HYPERCALL_PAGE, value: hypercallPage };
  if (base === 'pv32') yield { type: XEN_ELFNOTE.PAE_MODE, value: 'yes' };
}

/**
 * VIRT_BASE is the virtual address of pseudo-physical 0 and PADDR_OFFSET what p_paddr has too much: together they must
 * lead from p_paddr of the lowest PT_LOAD to its p_vaddr. A pair that does stays.
 */
function* baseNotes({ preset, resolver, given, present }: PresetInput): Generator<PresetNote> {
  const { image } = resolver;
  if (given.has(XEN_ELFNOTE.VIRT_BASE)) {
    if (present(XEN_ELFNOTE.PADDR_OFFSET) === undefined) yield { type: XEN_ELFNOTE.PADDR_OFFSET, value: 0n };
    return;
  }
  const lowest = lowestLoad(image);
  if (lowest === undefined) missing(preset, image, 'VIRT_BASE', 'the image has no PT_LOAD');
  const { p_vaddr, p_paddr } = lowest;
  const [base, offset] = [present(XEN_ELFNOTE.VIRT_BASE), present(XEN_ELFNOTE.PADDR_OFFSET) ?? 0n];
  if (base !== undefined && base + p_paddr - offset === p_vaddr) {
    yield { type: XEN_ELFNOTE.VIRT_BASE, value: base };
    yield { type: XEN_ELFNOTE.PADDR_OFFSET, value: offset };
    return;
  }
  if (p_vaddr < p_paddr) {
    const why = `p_vaddr ${hex(p_vaddr)} of the lowest PT_LOAD is below its p_paddr ${hex(p_paddr)}`;
    missing(preset, image, 'VIRT_BASE', why);
  }
  // Linked without load addresses (p_paddr = p_vaddr) at a high address: the base is a secret of the linker script.
  const high = 1n << (image.encoding.bits === 64 ? 40n : 31n);
  if (p_vaddr === p_paddr && p_vaddr >= high) {
    const why = `p_paddr equals p_vaddr (${hex(p_vaddr)}), so nothing tells the base; set PADDR_OFFSET as well`;
    missing(preset, image, 'VIRT_BASE', why);
  }
  yield { type: XEN_ELFNOTE.VIRT_BASE, value: p_vaddr - p_paddr };
  yield { type: XEN_ELFNOTE.PADDR_OFFSET, value: 0n };
}

function lowestLoad(image: ElfImage): Phdr | undefined {
  return loads(image)
    .map(({ segment }) => segment)
    .filter(({ p_memsz }) => p_memsz > 0n)
    .reduce<Phdr | undefined>((low, s) => (low === undefined || s.p_paddr < low.p_paddr ? s : low), undefined);
}

function pvEntry({ preset, resolver, present }: PresetInput): Vaddr {
  const { image } = resolver;
  const isVirtual = (address: Vaddr | undefined) => address !== undefined && loadAtVaddr(image, address) !== undefined;
  const entry = vaddr(image.header.e_entry);
  const noted = present(XEN_ELFNOTE.ENTRY);
  const told = [resolver.optional(PV_START_SYMBOL), noted === undefined ? undefined : vaddr(noted)].find(isVirtual);
  if (told !== undefined) return told;
  const value = [entry, resolver.optional(START_SYMBOL)].find(isVirtual);
  if (value !== undefined) {
    const isPv = [XEN_ELFNOTE.ENTRY, XEN_ELFNOTE.VIRT_BASE].some((type) => present(type) !== undefined);
    const pvh = image.encoding.bits === 64 ? present(XEN_ELFNOTE.PHYS32_ENTRY) : undefined;
    if (isPv || pvh === undefined || toPhysical(image, value) !== pvh) return value;
    missing(preset, image, 'ENTRY', `${hex(value)} is the PVH entry, by PHYS32_ENTRY: no code for a PV guest is known`);
  }
  const why = `no symbol ${PV_START_SYMBOL} or ${START_SYMBOL}, and no PT_LOAD holds e_entry ${hex(entry)}`;
  return missing(preset, image, 'ENTRY', why);
}

function pvhNotes({ preset, resolver, given, present }: PresetInput): PresetNote[] {
  if (given.has(XEN_ELFNOTE.PHYS32_ENTRY)) return [];
  const { image } = resolver;
  const named = PVH_START_SYMBOLS.find((symbol) => resolver.optional(symbol) !== undefined);
  if (named !== undefined)
    return [{ type: XEN_ELFNOTE.PHYS32_ENTRY, value: resolver.physicalStart(named, resolver.required(named)) }];
  const there = present(XEN_ELFNOTE.PHYS32_ENTRY);
  if (there !== undefined && loadAtPaddr(image, paddr(there)) !== undefined)
    return [{ type: XEN_ELFNOTE.PHYS32_ENTRY, value: there }];
  const start = resolver.optional(START_SYMBOL);
  if (start !== undefined) {
    const value = resolver.physicalStart(START_SYMBOL, start);
    if (image.encoding.bits === 32) return [{ type: XEN_ELFNOTE.PHYS32_ENTRY, value }];
    const caution =
      `PHYS32_ENTRY is the address of ${START_SYMBOL}: it must be 32-bit code that expects paging to be off; ` +
      `where it is, --set PHYS32_ENTRY=phys:${START_SYMBOL} says so and silences this`;
    return [{ type: XEN_ELFNOTE.PHYS32_ENTRY, value, caution }];
  }
  if (image.encoding.bits === 32) return [{ type: XEN_ELFNOTE.PHYS32_ENTRY, value: resolver.physicalEntry() }];
  const symbols = [...PVH_START_SYMBOLS, START_SYMBOL].join(', ');
  const why = `no symbol ${symbols}, and e_entry of an ELF64 image is usually 64-bit code`;
  return missing(preset, image, 'PHYS32_ENTRY', why);
}
