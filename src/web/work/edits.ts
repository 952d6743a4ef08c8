/** Edits of an open image: planned as `patch` plans them, with what is needed to make the result and to prove it. */
import type { Changed } from '../../base/bytes/shifted.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import {
  type ContainerOptions,
  type ContainerPlan,
  containerChanges,
  planContainer,
  planInside,
  proveContainer,
  type Steps,
} from '../../edit/container/pipeline.js';
import { changes, type PatchPlan, planPatch, provePatch, writesOver } from '../../edit/elf/pipeline.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementOptions,
} from '../../edit/elf/plan/placement-options.js';
import { readElf } from '../../formats/elf/read.js';
import { parseSetting } from '../../formats/note/value.js';
import { parseNoteName } from '../../formats/note/xen-notes.js';
import { containerPatchJson, containerPatchText } from '../../report/container-report.js';
import { jsonDocument } from '../../report/json.js';
import { patchJson, patchText } from '../../report/patch-report.js';
import { styleOf } from '../../report/text.js';
import type { Agreement } from '../../verify/elf/proof.js';
import type { WebImage } from './open.js';
import type { EditWish } from './wish.js';

/** The bytes of a result: what differs from the file, or all of them. */
export type MadeBytes =
  | { readonly kind: 'changed'; readonly changed: Changed }
  | { readonly kind: 'whole'; readonly source: ByteSource };

/** A planned edit. */
export interface PlannedEdit {
  /** What `--dry-run --json` prints; for fix without a plan what `fix --json` prints. */
  readonly document: string;
  /** The same for people. */
  readonly text: string;
  readonly changed: boolean;
  /** What prove() shows of the result, in words. */
  readonly law: string;
  /** Undefined: there is none. */
  readonly result: MadeBytes | undefined;
  /** Judges the result as read back; with what the second reader says, where it reads such a file. Errors: `verify.*`. */
  prove(result: ByteSource, onProgress?: (done: bigint, total: bigint) => void): Promise<Agreement | undefined>;
}

/** Text that nothing sets off. */
export const PLAIN = styleOf(false);
const DETAIL = { ranges: true, notes: false } as const;
const LAW = 'read back, every law holds, nothing else changed';
/** The container as the command leaves it without options. */
export const AS_IT_IS: ContainerOptions = {
  way: undefined,
  compressor: undefined,
  stripSignature: false,
  keepTail: false,
};

/** Plans what the form asks for. Errors: those of planPatch and planContainer, `plan.no-edit`, `usage.bad`, `container.bare`. */
export async function planEdit(image: WebImage, wish: EditWish, steps?: Steps): Promise<PlannedEdit> {
  const { file, opened } = image;
  if (image.isPe) fail('read.not-elf', { file: file.name }, { found: 'a PE image, whose sections hold no Xen notes' });
  const edits = editsOf(wish);
  const placement = PLACEMENTS.find((name) => name === wish.placement) ?? 'auto';
  const options: PlacementOptions = { ...DEFAULT_PLACEMENT, placement };
  const { way, stripSignature, keepTail } = wish;
  if (opened === undefined) {
    if (edits.length === 0) fail('plan.no-edit', { file: file.name }, {});
    return elfEdit('patch', planPatch(readElf(image.source), edits, options));
  }
  if (way === 'detach' && edits.length > 0) {
    fail('usage.bad', {}, { what: 'detach takes no edits: what is taken off leaves the kernel as it was' });
  }
  if (edits.length === 0 && way !== 'detach' && way !== 'extract' && !stripSignature) {
    fail('plan.no-edit', { file: file.name }, {});
  }
  const container: ContainerOptions = {
    way: way === '' ? undefined : way,
    compressor: way === 'extract' && wish.gzip ? 'gzip' : undefined,
    stripSignature,
    keepTail,
  };
  const elf = way === 'detach' ? undefined : planInside(opened, edits, options);
  return containerEdit('patch', await planContainer(file, opened, elf, container, steps));
}

function editsOf({ clear, preset, set, unset }: EditWish): Edit[] {
  return [
    ...(clear ? [{ kind: 'clear' } as const] : []),
    ...(preset === '' ? [] : [{ kind: 'preset', name: preset } as const]),
    ...set.map((text) => ({ kind: 'set', setting: parseSetting(text) }) as const),
    ...unset.map((name) => ({ kind: 'unset', type: parseNoteName(name).type }) as const),
  ];
}

/** A bare ELF's plan; `command` names the document. */
export function elfEdit(command: string, plan: PatchPlan): PlannedEdit {
  const changed = changes(plan);
  return {
    document: jsonDocument(command, patchJson(plan, { kind: 'planned' })),
    text: patchText(plan, { kind: 'planned' }, PLAIN, DETAIL),
    changed,
    law: LAW,
    result: { kind: 'changed', changed: writesOver(plan) },
    prove: (result, onProgress) => provePatch(plan, readElf(result), onProgress),
  };
}

/** The plan of a kernel in its wrapper. */
export function containerEdit(command: string, plan: ContainerPlan): PlannedEdit {
  const { writes, fileSize } = plan.rebuilt;
  return {
    document: jsonDocument(command, containerPatchJson(plan, { kind: 'planned' })),
    text: containerPatchText(plan, { kind: 'planned' }, PLAIN, DETAIL),
    changed: containerChanges(plan),
    law: plan.elf === undefined ? 'read back, the kernel is what it was before' : LAW,
    result: { kind: 'changed', changed: { writes, shift: undefined, fileSize } },
    prove: (result, onProgress) => proveContainer(plan, result, () => onProgress ?? (() => undefined)),
  };
}
