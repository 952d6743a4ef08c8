/**
 * What is said where a loader wants an entry that nothing in the image tells: which kind of kernel it is, how that kind is
 * started, and the edit by which a person who knows the code can say what the image does not. `fix` never makes it unasked.
 */
import { hex } from '../../base/errors/hex.js';
import { paddr } from '../../formats/elf/address.js';
import { loadAtPaddr, loadAtVaddr } from '../../formats/elf/image.js';
import { PT_LOAD } from '../../formats/elf/names.js';
import { findSymbols } from '../../formats/elf/symbols.js';
import { distinctAreas } from '../../formats/note/areas.js';
import { decodeValue } from '../../formats/note/desc.js';
import { preset } from '../../formats/note/fix.js';
import { LINUX, XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { ownerOf } from '../../formats/note/record.js';
import { buildsDom0, isOfFamily } from '../../loaders/names.js';
import { accepts } from '../../loaders/rule.js';
import { analyze } from '../elf/plan/analyze.js';
import { START_SYMBOL } from '../elf/plan/presets.js';
import { findRewriteTarget } from '../elf/plan/rewrite-target.js';
import { placeOf } from './link-facts.js';
import { attempt, isFailure, type Subject } from './search.js';
import { BARE } from './way.js';

/** How a kernel of one kind is started where the loader was asked to start it as the other. */
const AS_PVH: Readonly<Partial<Record<string, string>>> = {
  'xen-pv': 'in the guest\'s configuration say type="pvh"',
  'xen-dom0-pv': "say dom0=pvh on Xen's command line",
  'grub-xen': 'GRUB cannot start PVH kernels, xl can: type="pvh"',
};
const AS_PV: Readonly<Record<string, string>> = {
  'xen-pvh': ' It is a PV kernel: in the guest\'s configuration say type="pv".',
  'xen-dom0-pvh': " It is a PV kernel: leave dom0=pvh out of Xen's command line.",
};

/** Symbols of Linux's own start-up code. */
const LINUX_SYMBOLS = ['linux_banner', 'x86_64_start_kernel', 'i386_start_kernel'];

/** Why no PV loader gets an edit. `command` spells the edit of a preset. */
export function pvAdvice(subject: Subject, loader: string, command: (preset: string) => string): string {
  const { image, told } = subject;
  if (told.pvh) {
    return `this is a PVH kernel, and nothing in it tells a PV entry: ${AS_PVH[loader] ?? 'start it as PVH'}`;
  }
  const none = 'nothing in the image tells a PV entry (no Xen note, no __xen_guest string, no symbol startup_xen)';
  const name = sayable(subject, loader);
  return name === undefined
    ? `${none}; explain pv says what a PV kernel needs`
    : `${none}; if the code at e_entry ${hex(image.header.e_entry)} is made for a PV guest, say so: ${command(name)}`;
}

/** Why a PVH loader gets no edit. `command` spells the edit of a preset. */
export function pvhAdvice(subject: Subject, loader: string, command: (preset: string) => string): string {
  const { image } = subject;
  if (isLinux(subject)) {
    return `this is a Linux kernel that was built without a PVH entry: set CONFIG_PVH=y and build it again, no note can stand for the code.${asPv(subject, loader)}`;
  }
  const wrong = wrongEntry(subject);
  if (wrong !== undefined) return `${wrong}${asPv(subject, loader)}`;
  const none = 'nothing in the image tells a 32-bit entry made for PVH';
  const name = sayable(subject, loader);
  const symbol = findSymbols(image, [START_SYMBOL]).get(START_SYMBOL)?.[0];
  if (name !== undefined) {
    const place =
      symbol === undefined ? `e_entry ${hex(image.header.e_entry)}` : `${START_SYMBOL} ${hex(symbol.value)}`;
    // The command is the last word: what is copied to the end of the line has to run.
    const note =
      symbol === undefined || loadAtVaddr(image, symbol.value) === undefined
        ? ''
        : ` by --set PHYS32_ENTRY=phys:${START_SYMBOL}${buildsDom0(loader) ? ' and the bit for dom0' : ''}, or as here`;
    return `${none}; if the code at ${place} is 32-bit code that expects paging to be off, say so${note}: ${command(name)}`;
  }
  return `${none}; if it has one, the note PHYS32_ENTRY takes its physical address (explain pvh).${asPv(subject, loader)}`;
}

/**
 * The preset by which a person who knows the code can say what the image does not, seen to make the loader take it; undefined:
 * there is none. Whoever offers it says what is claimed with it.
 */
export function sayable(subject: Subject, loader: string): string | undefined {
  const { image, told } = subject;
  const dom0 = buildsDom0(loader) ? '+dom0' : '';
  const isPvh = isOfFamily(loader, 'pvh');
  if (isPvh ? told.pv || isLinux(subject) || wrongEntry(subject) !== undefined : told.pvh) return undefined;
  const name = isPvh ? `pvh${dom0}` : `${image.encoding.bits === 64 ? 'pv' : 'pv32'}${dom0}`;
  return works(subject, loader, name) ? name : undefined;
}

/** A PHYS32_ENTRY that is there and leads nowhere: what it says, and where the image is. */
function wrongEntry({ image }: Subject): string | undefined {
  const note = findRewriteTarget(analyze(image)).xen.find(({ type }) => type === XEN_ELFNOTE.PHYS32_ENTRY);
  if (note === undefined) return undefined;
  const value = decodeValue(note.type, note.desc, image.encoding);
  if (value.kind === 'number' && loadAtPaddr(image, paddr(value.value)) !== undefined) return undefined;
  const says = value.kind === 'number' ? hex(value.value) : `${note.desc.length} bytes, which are no address`;
  const places = image.segments
    .flatMap((s, k) => (s.p_type === PT_LOAD && s.p_memsz > 0n ? [`PT_LOAD ${k} ${placeOf(s)}`] : []))
    .slice(0, MOST_PLACES);
  return `PHYS32_ENTRY is ${says}, and physical memory has the image elsewhere (${places.join(', ')}): it takes the physical address of 32-bit code in there, so correct it in the source, or set it (explain values)`;
}

const MOST_PLACES = 3;

function asPv({ told }: Subject, loader: string): string {
  return told.pv ? (AS_PV[loader] ?? '') : '';
}

/** Does the loader take the image after this preset? */
function works(subject: Subject, loader: string, name: string): boolean {
  // The person who makes this edit tells what the image does not.
  const asked = { ...subject, names: [loader], told: { pv: true, pvh: true, pvhEntry: true } };
  const after = attempt(asked, { ...BARE, after: subject.before }, [preset(name)]);
  return !isFailure(after) && after.verdicts.every(accepts);
}

/** Is it Linux, by its boot protocol, its notes or its symbols? */
function isLinux({ image, before }: Subject): boolean {
  if (before?.facts.kind === 'bzimage') return true;
  const noted = distinctAreas(analyze(image).areas).some(({ walk }) =>
    walk.records.some(({ name }) => ownerOf(name) === LINUX),
  );
  return noted || [...findSymbols(image, LINUX_SYMBOLS).values()].some((hits) => hits.length > 0);
}
