/**
 * What an edit that a verdict names would come to on this image, and what to say where no edit is known: what is in the
 * way, or what only the kernel's builder can tell.
 */
import type { ByteSource } from '../bytes/source.js';
import { readElf } from '../elf/read.js';
import { hex } from '../errors/hex.js';
import { PatchError } from '../errors/patch-error.js';
import { preview } from '../layout/render.js';
import { judgeLoaders, lostLoaders } from '../loaders/loaders.js';
import type { Verdict } from '../loaders/rule.js';
import { NEWEST_XEN, type XenVersion } from '../loaders/xen-version.js';
import { multibootHeaders } from '../multiboot/headers.js';
import { QEMU_MB1 } from '../multiboot/windows.js';
import { parseSetting } from '../note/value.js';
import { parseNoteName } from '../note/xen-notes.js';
import { planPatch } from '../pipeline.js';
import type { Edit } from '../plan/edits.js';

/** The entry of these is in a PHYS32_ENTRY note. */
const PVH: ReadonlySet<string> = new Set(['xen-pvh', 'xen-dom0-pvh', 'qemu-pvh', 'linux-loader']);
/** Refusals of a plan that mean: the image does not tell. */
const NOT_TOLD: ReadonlySet<string> = new Set(['plan.preset-missing', 'plan.no-load-holds', 'plan.no-symbol']);

export interface Outcome {
  readonly verdict?: Verdict | undefined;
  readonly error?: PatchError | undefined;
}

/** What the loader says of the image after a cure, as it stands on a command line of `patch`. */
export function outcomeOf(source: ByteSource, cure: string, loader: string, xenVersion: XenVersion): Outcome {
  try {
    const image = readElf(source);
    const result = preview(image, planPatch(image, editsIn(cure)).rendered);
    if (lostLoaders(source, result).length > 0) return {};
    return { verdict: judgeLoaders(result, { names: [loader], xenVersion })[0] };
  } catch (error) {
    if (error instanceof PatchError) return { error };
    throw error;
  }
}

/** Is it the file around the image that has to change? No edit of the image inside can show whether that helps. */
export function isAboutContainer(cure: string | undefined): boolean {
  return cure?.includes(' --payload ') === true;
}

/** Does the cure leave it to a preset to find the entry of a PVH kernel, which takes any start symbol there is? */
export function guessesEntry({ cure }: Verdict): boolean {
  return cure?.includes(' --preset pvh') === true;
}

/** The edits of `xen-elfpatch patch IMAGE --set … -o OUT`, of which loaders use these few words. */
export function editsIn(command: string): Edit[] {
  const words = command.split(' ');
  const edits: Edit[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const value = words[i + 1] ?? '';
    if (words[i] === '--clear') edits.push({ kind: 'clear' });
    if (words[i] === '--from-legacy') edits.push({ kind: 'from-legacy' });
    if (words[i] === '--preset') edits.push({ kind: 'preset', name: value });
    if (words[i] === '--set') edits.push({ kind: 'set', setting: parseSetting(value) });
    if (words[i] === '--unset') edits.push({ kind: 'unset', type: parseNoteName(value).type });
  }
  return edits;
}

/** Kernels that are multiboot's get the message about PVH where QEMU does not find their header. */
function multibootOutOfReach(source: ByteSource): string | undefined {
  const [first, second] = [1, 2].map((version) =>
    multibootHeaders(source, SEARCHED).find((header) => header.version === version),
  );
  if (first !== undefined) {
    return `there is a multiboot 1 header at ${hex(first.offset)}, and QEMU looks no further than ${hex(QEMU_MB1.last)}: link it further in front`;
  }
  if (second === undefined) return undefined;
  return `there is a multiboot 2 header at ${hex(second.offset)} alone, which QEMU does not know: boot it by GRUB, or add a multiboot 1 header or a PVH entry`;
}

/** How far a header is looked for, to tell that loaders do not look there. */
const SEARCHED = 0x10000n;

/** The name of the image as a word of a shell; `IMAGE` where it would have to be quoted. */
export function imageWord(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : 'IMAGE';
}

export function adviceFor(source: ByteSource, verdict: Verdict, error: PatchError | undefined): string | undefined {
  const { loader, cure, rule } = verdict;
  if (error?.id === 'plan.unsound' || error?.id.startsWith('read.') === true) {
    return `no edit of notes mends it: ${error.detail}`;
  }
  if (rule === 'not-multiboot') {
    return 'QEMU tries the multiboot header before any note: link the kernel without it, or for 32 bit with it alone';
  }
  if (loader === 'multiboot' || loader === 'multiboot2') {
    return 'a multiboot header and its place are a matter of the link, not of notes: explain loaders says where it has to be';
  }
  const untold = error === undefined ? guessesEntry(verdict) : NOT_TOLD.has(error.id);
  const lost = loader === 'qemu-pvh' && rule === 'pvh-note' ? multibootOutOfReach(source) : undefined;
  if (untold && lost !== undefined) return lost;
  if (untold && PVH.has(loader)) {
    const name = imageWord(source.name);
    const give = `xen-elfpatch patch ${name} --set PHYS32_ENTRY=ADDRESS -o ${name}.xen`;
    return `nothing in the image tells a 32-bit entry made for PVH; if it has one, give its physical address: ${give}`;
  }
  if (error !== undefined) return `no edit is known that mends it: ${error.detail}`;
  return cure === undefined ? undefined : 'no edit of notes is known that mends it';
}

/** The same for a verdict alone: the edit that it names is tried to see what is in its way. */
export function adviceOn(
  source: ByteSource,
  verdict: Verdict,
  xenVersion: XenVersion = NEWEST_XEN,
): string | undefined {
  const { cure, loader } = verdict;
  return adviceFor(source, verdict, cure === undefined ? undefined : outcomeOf(source, cure, loader, xenVersion).error);
}
