/**
 * What to do where a loader does not take a PE image (xen.efi, a unified image, a boot loader): a linear layout where that was
 * tried and helps, else who starts such a file, and what this loader takes in its place.
 */
import { BufferSource, type ByteSource } from '../../base/bytes/source.js';
import { PatchError } from '../../base/errors/patch-error.js';
import { recognise } from '../../formats/container/recognise.js';
import { findMb2 } from '../../formats/multiboot/mb2.js';
import type { LinearFix } from '../../formats/note/fix.js';
import type { PeImage } from '../../formats/pe/image.js';
import { UNIFIED_KERNEL_SECTION } from '../../formats/pe/kind.js';
import { hasPeSection } from '../../formats/pe/read.js';
import { judgeLoaders } from '../../loaders/loaders.js';
import { isOfFamily } from '../../loaders/names.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import type { XenVersion } from '../../loaders/xen-version.js';
import { layOutLinear } from '../linear/lay-out.js';
import type { LinearLayout } from '../linear/layout.js';
import { DEFAULT_LINEAR_OPTIONS } from '../linear/options.js';
import { fileOf, SIGN_AGAIN } from './advice.js';
import type { ProvedVerdict } from './cure.js';
import { efiAdvice } from './efi-advice.js';

/** Under what conditions loaders get the image. */
interface PeConditions {
  readonly xenVersion: XenVersion;
  readonly memory?: bigint | undefined;
  /** Are warnings a no? */
  readonly strict?: boolean | undefined;
}

/**
 * The verdicts on a PE image, each with the linear layout after which its loader was seen to take the image, or with what to
 * do instead. Writes nothing.
 */
export function provePe(image: PeImage, verdicts: readonly Verdict[], conditions: PeConditions): ProvedVerdict[] {
  const unified = unifiedAdvice(image.source);
  const layouts = new Map<boolean, Linear | PatchError>();
  const laidOut = (mb1: boolean): Linear | PatchError => {
    const known = layouts.get(mb1) ?? linearOf(image, mb1);
    layouts.set(mb1, known);
    return known;
  };
  return verdicts.map((verdict) => {
    const { loader, version } = verdict;
    if (accepts(verdict)) return verdict;
    if (isOfFamily(loader, 'pe'))
      return {
        ...verdict,
        advice: efiAdvice(image.source, verdict, fileOf({ source: image.source, before: undefined })),
      };
    if (unified !== undefined) return { ...verdict, cure: undefined, advice: unified };
    if (!isOfFamily(loader, 'multiboot')) return { ...verdict, cure: undefined, advice: elsewhere(loader) };
    const mb1 = !loader.endsWith('multiboot2');
    const linear = laidOut(mb1);
    if (linear instanceof PatchError) return { ...verdict, cure: undefined, advice: notLinear(image, linear) };
    const { result, fix } = linear;
    const [after] = judgeLoaders(result, { ...conditions, names: [`${loader}@${version}`] });
    return after !== undefined && (conditions.strict === true ? after.outcome === 'accepted' : accepts(after))
      ? { ...verdict, cure: fix, advice: fix.dropSignature ? SIGN_AGAIN : undefined }
      : {
          ...verdict,
          cure: undefined,
          advice: `${UEFI}; laid out by linearize it gets this answer: ${after?.message ?? after?.warnings[0]?.text ?? ''}`,
        };
  });
}

/** A linear layout as linearize would write it, and how it is asked for it. */
interface Linear {
  readonly layout: LinearLayout;
  readonly result: ByteSource;
  readonly fix: LinearFix;
}

/** The linear layout of an image, or why there is none. A signature comes off where nothing else is in the way. */
export function linearOf(image: PeImage, mb1: boolean, dropSignature?: true): Linear | PatchError {
  try {
    const layout = layOutLinear(image, { ...DEFAULT_LINEAR_OPTIONS, mb1, dropSignature: dropSignature === true });
    const { output } = layout;
    // Read once: loaders ask for small pieces of it.
    const result = new BufferSource(output.read(0n, output.size, 'image'), image.source.name);
    return { layout, result, fix: { kind: 'linearize', mb1, dropSignature } };
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return error.id === 'pe.signed' && dropSignature === undefined ? linearOf(image, mb1, true) : error;
  }
}

const UEFI = 'it is a PE image, which UEFI firmware starts, and GRUB by chainloader';

function notLinear({ source }: PeImage, error: PatchError): string {
  if (findMb2(source) === undefined) {
    return `${UEFI}: it has no Multiboot2 header by which linearize could lay it out for Multiboot`;
  }
  const hint = error.hint === undefined ? '' : `; ${error.hint}`;
  return `${UEFI}: linearize does not lay it out for Multiboot: ${error.detail}${hint}`;
}

/** What to do with a unified kernel image, which has the kernel in a section; undefined for all others. */
function unifiedAdvice(source: ByteSource): string | undefined {
  if (!hasPeSection(source, UNIFIED_KERNEL_SECTION)) return undefined;
  const known = recognise(source);
  return known.kind === 'other' ? `it is ${known.name}: ${known.why}; ${known.instead}` : undefined;
}

function elsewhere(loader: string): string {
  return `${UEFI}; ${loader} takes an ELF kernel: name the one that it was made from (vmlinux of Linux, xen-syms of Xen)`;
}
