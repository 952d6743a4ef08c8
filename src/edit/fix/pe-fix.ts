/**
 * `fix` of a PE image (xen.efi): the linear layout that verify names for the loaders that were asked about, all of them in one
 * layout, judged by them before a byte is written; else what verify says to do.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { PatchError } from '../../base/errors/patch-error.js';
import { findMb2 } from '../../formats/multiboot/mb2.js';
import type { LinearFix } from '../../formats/note/fix.js';
import { linearArguments } from '../../formats/note/fix-command.js';
import type { PeImage } from '../../formats/pe/image.js';
import { judgeLoaders } from '../../loaders/loaders.js';
import { type LoaderName, rowTargets } from '../../loaders/names.js';
import { accepts } from '../../loaders/rule.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import type { LinearLayout } from '../linear/layout.js';
import { SIGN_AGAIN } from './advice.js';
import type { Candidate } from './candidates.js';
import type { Diagnosis } from './fix.js';
import { linearOf, provePe } from './pe-advice.js';

/** The layout found for a PE image, with the verdicts of the loaders before and after it. */
export interface FoundPeFix {
  readonly image: PeImage;
  readonly diagnoses: readonly Diagnosis[];
  /** One, or none. */
  readonly steps: readonly Candidate[];
  /** Undefined: nothing is to be done, or nothing that would help is known. */
  readonly fix: LinearFix | undefined;
  readonly layout: LinearLayout | undefined;
  /** Do all loaders take the result? */
  readonly cured: boolean;
  /** Why a layout cannot be made, where one would have been tried. */
  readonly failed: readonly string[];
}

/** Under what conditions loaders get the image. */
interface PeFixConditions {
  /** Default: the newest known. */
  readonly xenVersion?: XenVersion;
  /** Bytes of memory that the machine or guest has; default: 4 GiB. */
  readonly memory?: bigint | undefined;
}

/**
 * Looks for one layout after which all of `loaders` take the image (none named: firmware, and GRUB by multiboot2 where the image
 * has a header for it). Writes nothing.
 */
export function findPeFix(
  image: PeImage,
  loaders: readonly string[],
  { xenVersion = NEWEST_XEN, memory }: PeFixConditions = {},
): FoundPeFix {
  const names = loaders.length > 0 ? rowTargets(loaders) : targetsOfPe(image.source);
  const conditions = { xenVersion, memory };
  const before = judgeLoaders(image.source, { names, ...conditions });
  const proved = provePe(image, before, conditions);
  const named = proved.flatMap(({ cure }) => (cure?.kind === 'linearize' ? [cure] : []));
  const made =
    named.length === 0
      ? undefined
      : linearOf(
          image,
          named.some(({ mb1 }) => mb1),
        );
  const linear = made instanceof PatchError ? undefined : made;
  const after = linear === undefined ? before : judgeLoaders(linear.result, { names, ...conditions });
  const refused = before.find((verdict, k) => !accepts(verdict) && proved[k]?.cure !== undefined);
  return {
    image,
    diagnoses: before.map((verdict, k) => {
      const result = after[k] ?? verdict;
      const advice = accepts(result) ? undefined : proved[k]?.advice;
      return { loader: verdict.loader, before: verdict, after: { ...result, cure: undefined }, advice };
    }),
    steps: linear === undefined ? [] : [stepOf(linear.fix, refused?.reason ?? refused?.message ?? '')],
    fix: linear?.fix,
    layout: linear?.layout,
    cured: after.every(accepts),
    failed: made instanceof PatchError ? [made.detail] : [],
  };
}

function stepOf(fix: LinearFix, why: string): Candidate {
  const signature = fix.dropSignature === true ? `; ${SIGN_AGAIN}` : '';
  const told = ['linearize', ...linearArguments(fix)].join(' ');
  return { reason: `${why}: its file has to be a picture of its memory${signature}`, told, edits: [] };
}

/** Who starts such a file, where nobody says who has to. */
function targetsOfPe(source: ByteSource): readonly LoaderName[] {
  return findMb2(source) === undefined ? ['uefi'] : ['uefi', 'grub-multiboot2'];
}
