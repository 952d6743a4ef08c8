/** Every loader whose verdict is known, in the order in which verdicts are listed. */
import type { ByteSource } from '../base/bytes/source.js';
import { hasCodeInFile, withCodeInFile } from './code-in-file.js';
import { crosvm } from './crosvm.js';
import { grubSecureBoot, shim } from './efi/shim.js';
import { uefi } from './efi/uefi.js';
import { grubMultiboot, grubMultiboot2 } from './grub-multiboot.js';
import { grubXen } from './grub-xen.js';
import { kexec } from './kexec.js';
import { limine } from './limine.js';
import { EFI_NAMES, LOADER_NAMES, type LoaderName, loaderRow, releaseOf, rowTargets, targetOf } from './names.js';
import { nearMissOf } from './note-near-miss.js';
import { openvmm } from './openvmm.js';
import { qemuPvh } from './qemu.js';
import { qemuMultiboot } from './qemu-multiboot.js';
import { accepts, type Loader, type Options, type Verdict } from './rule.js';
import { cloudHypervisor, firecracker, libkrun } from './vmms.js';
import { judgeWrapped, looksThrough, type Wrapped } from './wrapped.js';
import { xenDom0Pv, xenDom0Pvh } from './xen/dom0.js';
import { xenPv, xenPvh } from './xen/toolstack.js';
import { NEWEST_XEN, parseXenVersion } from './xen-version.js';

/** The rules of each row. */
const RULES: Readonly<Record<LoaderName, Loader>> = {
  'xen-pv': xenPv,
  'xen-pvh': xenPvh,
  'xen-dom0-pv': xenDom0Pv,
  'xen-dom0-pvh': xenDom0Pvh,
  'qemu-pvh': qemuPvh,
  'qemu-multiboot': qemuMultiboot,
  firecracker,
  'cloud-hypervisor': cloudHypervisor,
  libkrun,
  crosvm,
  openvmm,
  'grub-xen': grubXen,
  'grub-multiboot': grubMultiboot,
  'grub-multiboot2': grubMultiboot2,
  limine,
  kexec,
  uefi,
  shim,
  'grub-secure-boot': grubSecureBoot,
};

/** Every loader, in the order of LOADER_NAMES. */
export const LOADERS: readonly Loader[] = LOADER_NAMES.map((name) => RULES[name]);

/** Those that start PE images alone; they see a file as it stands, whatever it wraps. */
const EFI_LOADERS: readonly Loader[] = EFI_NAMES.map((name) => RULES[name]);

/** How the image is judged; `names`: `NAME[@VERSION]`, of rows or of what stands for them; `wrapped`: what it was found in. */
export type JudgeOptions = {
  readonly names?: readonly string[];
  readonly wrapped?: Wrapped | undefined;
} & Partial<Options>;

/**
 * Would these loaders start the image, and with which values? Without names: all that are asked about any image. Reads headers
 * and notes only, whatever the size of the file, but for a signature, which is of every byte; the image need not be one that readElf takes. Errors: those of reading the file,
 * `usage.bad` for a version that is not known, or behind a name for several programs.
 */
export function judgeLoaders(
  source: ByteSource,
  { names, xenVersion = NEWEST_XEN, memory, wrapped }: JudgeOptions = {},
): Verdict[] {
  const asked = names === undefined ? undefined : rowTargets(names);
  return [...LOADERS, ...(asked === undefined ? [] : EFI_LOADERS)].flatMap((each) => {
    const targets = asked === undefined ? [each.name] : asked.filter((target) => targetOf(target).name === each.name);
    return targets.map((target) => judge(each, source, wrapped, ruledBy(target, { xenVersion, memory })));
  });
}

/** What a loader is asked by: a version behind its name counts more than that of all Xen loaders. */
function ruledBy(target: string, options: Options): Options {
  if (targetOf(target).version === undefined) return options;
  const version = releaseOf(target);
  const isXen = loaderRow(target)?.product === 'xen';
  return { ...options, version, ...(isXen ? { xenVersion: parseXenVersion(version) ?? options.xenVersion } : {}) };
}

function judge(each: Loader, source: ByteSource, wrapped: Wrapped | undefined, options: Options): Verdict {
  if (EFI_LOADERS.includes(each)) return each.judge(wrapped?.outer ?? source, options);
  const verdict = wrapped === undefined ? each.judge(source, options) : judgeWrapped(each, source, wrapped, options);
  const seen = wrapped === undefined || looksThrough(each.name, wrapped.facts.kind) ? source : wrapped.outer;
  const near = nearMissOf(seen, verdict);
  const reason = [verdict.reason, near].filter((part) => part !== undefined).join('; ');
  return withCodeInFile(seen, near === undefined ? verdict : { ...verdict, reason });
}

/** Would the loader start it? What judge() answers, without the words where the image stands alone. */
function starts(each: Loader, source: ByteSource, wrapped: Wrapped | undefined, options: Options): boolean {
  if (wrapped !== undefined) return accepts(judge(each, source, wrapped, options));
  const values = each.goesBy(source, options);
  return values !== undefined && hasCodeInFile(source, values);
}

/** A loader that an edit loses: it took the image before and does not take it now. */
export interface Lost {
  readonly before: Verdict;
  readonly after: Verdict;
}

/** The loaders that accept `before` and not `after`; both may be in a wrapper. */
export function lostLoaders(
  before: ByteSource,
  after: ByteSource,
  wrapped: { readonly before?: Wrapped | undefined; readonly after?: Wrapped | undefined } = {},
): Lost[] {
  const options = { xenVersion: NEWEST_XEN };
  return LOADERS.flatMap((each) => {
    // The result first: who takes that is not lost, and most take it or took neither.
    if (starts(each, after, wrapped.after, options) || !starts(each, before, wrapped.before, options)) return [];
    const [was, is] = [judge(each, before, wrapped.before, options), judge(each, after, wrapped.after, options)];
    return [{ before: was, after: is }];
  });
}
