/** Every loader whose verdict is known, in the order in which they are told. */
import type { ByteSource } from '../bytes/source.js';
import { grubMultiboot, grubMultiboot2 } from './grub-multiboot.js';
import { grubXen } from './grub-xen.js';
import { kexec } from './kexec.js';
import { linuxLoader } from './linux-loader.js';
import { qemuPvh } from './qemu.js';
import { accepts, type Loader, type Options, type Verdict } from './rule.js';
import { xenDom0Pv, xenDom0Pvh } from './xen/dom0.js';
import { xenPv, xenPvh } from './xen/toolstack.js';
import { NEWEST_XEN } from './xen-version.js';

export const LOADERS: readonly Loader[] = [
  xenPv,
  xenPvh,
  xenDom0Pv,
  xenDom0Pvh,
  qemuPvh,
  linuxLoader,
  grubXen,
  grubMultiboot,
  grubMultiboot2,
  kexec,
];

/**
 * Would these loaders start the image, and with which values? All of them when none is named. Reads headers and notes
 * only, whatever the size of the file; the image need not be one that readElf takes. Errors: those of reading the file.
 */
export function judgeLoaders(
  source: ByteSource,
  { names, xenVersion = NEWEST_XEN }: { readonly names?: readonly string[] } & Partial<Options> = {},
): Verdict[] {
  return LOADERS.filter(({ name }) => names === undefined || names.includes(name)).map((each) =>
    each.judge(source, { xenVersion }),
  );
}

/** A loader that an edit loses: it took the image before and does not take it now. */
export interface Lost {
  readonly before: Verdict;
  readonly after: Verdict;
}

/** The loaders that accept `before` and not `after`. */
export function lostLoaders(before: ByteSource, after: ByteSource): Lost[] {
  return LOADERS.flatMap((each) => {
    const was = each.judge(before, { xenVersion: NEWEST_XEN });
    if (!accepts(was)) return [];
    const is = each.judge(after, { xenVersion: NEWEST_XEN });
    return accepts(is) ? [] : [{ before: was, after: is }];
  });
}
