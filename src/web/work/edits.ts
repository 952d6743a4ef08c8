/** Edits of an open image: planned as `patch` and `fix` plan them, with what is needed to make the result and to prove it. */
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
} from '../../edit/container/pipeline.js';
import { changes, type PatchPlan, planPatch, planUnchanged, provePatch, writesOver } from '../../edit/elf/pipeline.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementOptions,
} from '../../edit/elf/plan/placement-options.js';
import { type FoundFix, findFix } from '../../edit/fix/fix.js';
import { waysFor } from '../../edit/fix/ways.js';
import { readElf } from '../../formats/elf/read.js';
import { parseSetting } from '../../formats/note/value.js';
import { parseNoteName } from '../../formats/note/xen-notes.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import { containerPatchJson, containerPatchText } from '../../report/container-report.js';
import { fixJson, fixText } from '../../report/fix-report.js';
import { jsonDocument } from '../../report/json.js';
import { patchJson, patchText } from '../../report/patch-report.js';
import { styleOf } from '../../report/text.js';
import type { Agreement } from '../../verify/elf/proof.js';
import type { WebImage } from './open.js';

/** What the form of a page asks for; values as `patch` takes them. */
export interface EditWish {
  readonly clear: boolean;
  readonly preset: string;
  /** `NAME=VALUE`. */
  readonly set: readonly string[];
  readonly unset: readonly string[];
  /** A placement, or `auto`. */
  readonly placement: string;
}

/** A planned edit. */
export interface PlannedEdit {
  /** What `--dry-run --json` prints; for fix without a plan what `fix --json` prints. */
  readonly document: string;
  /** The same for people. */
  readonly text: string;
  readonly changed: boolean;
  /** The result as what differs from the file; undefined: there is none. */
  readonly result: Changed | undefined;
  /** Judges the result as read back. Errors: `verify.*`. */
  prove(result: ByteSource, onProgress?: (done: bigint, total: bigint) => void): Promise<Agreement>;
}

const PLAIN = styleOf(false);
const DETAIL = { ranges: true, notes: false } as const;
const AS_IT_IS: ContainerOptions = { way: undefined, compressor: undefined, stripSignature: false, keepTail: false };

/** Plans what the form asks for. Errors: those of planPatch and planContainer, `plan.no-edit`. */
export async function planEdit(image: WebImage, wish: EditWish): Promise<PlannedEdit> {
  if (image.isPe)
    fail('read.not-elf', { file: image.file.name }, { found: 'a PE image, whose sections hold no Xen notes' });
  const edits = editsOf(wish);
  if (edits.length === 0) fail('plan.no-edit', { file: image.file.name }, {});
  const placement = PLACEMENTS.find((name) => name === wish.placement) ?? 'auto';
  const options: PlacementOptions = { ...DEFAULT_PLACEMENT, placement };
  if (image.opened === undefined) return elfEdit('patch', planPatch(readElf(image.source), edits, options));
  const elf = planInside(image.opened, edits, options);
  return containerEdit('patch', await planContainer(image.file, image.opened, elf, AS_IT_IS));
}

function editsOf({ clear, preset, set, unset }: EditWish): Edit[] {
  return [
    ...(clear ? [{ kind: 'clear' } as const] : []),
    ...(preset === '' ? [] : [{ kind: 'preset', name: preset } as const]),
    ...set.map((text) => ({ kind: 'set', setting: parseSetting(text) }) as const),
    ...unset.map((name) => ({ kind: 'unset', type: parseNoteName(name).type }) as const),
  ];
}

/** Looks for the smallest edit that makes the loaders take the image. Errors: those of findFix and planContainer. */
export async function planFix(
  image: WebImage,
  loaders: readonly string[],
  xenVersion: XenVersion = NEWEST_XEN,
): Promise<PlannedEdit & { readonly cured: boolean }> {
  const { file, opened, wrapped } = image;
  if (opened === undefined) {
    const found = findFix(image.source, loaders, DEFAULT_PLACEMENT, { xenVersion });
    return { ...fixEdit(found, loaders, file.name, found.plan && elfEdit('fix', found.plan)), cured: found.cured };
  }
  const ways = waysFor(opened, file).filter(({ alone }) => !alone || loaders.length > 0);
  const found = findFix(opened.elf, loaders, DEFAULT_PLACEMENT, { xenVersion, before: wrapped, ways });
  const { payload, compressor, stripSignature = false } = found.fix.wrapper ?? {};
  const options = { ...AS_IT_IS, way: payload, compressor, stripSignature };
  const plan = found.plan && (await planContainer(file, opened, found.plan, options));
  return { ...fixEdit(found, loaders, file.name, plan && containerEdit('fix', plan)), cured: found.cured };
}

function fixEdit(
  found: FoundFix,
  loaders: readonly string[],
  file: string,
  edit: PlannedEdit | undefined,
): PlannedEdit {
  const lead = fixText(found, PLAIN, file);
  const told = fixJson(found, loaders);
  if (edit === undefined || !found.cured) {
    const document = jsonDocument('fix', { file, changed: false, ...told });
    const none = elfEdit('fix', planUnchanged(found.image));
    return { ...none, document, text: lead, changed: false, result: undefined };
  }
  const document = jsonDocument('fix', { ...JSON.parse(edit.document), ...told, schema: 'xen-elfpatch/fix/1' });
  return { ...edit, document, text: `${lead}${edit.text}` };
}

function elfEdit(command: string, plan: PatchPlan): PlannedEdit {
  const changed = changes(plan);
  return {
    document: jsonDocument(command, patchJson(plan, { kind: 'planned' })),
    text: patchText(plan, { kind: 'planned' }, PLAIN, DETAIL),
    changed,
    result: writesOver(plan),
    prove: (result, onProgress) => provePatch(plan, readElf(result), onProgress),
  };
}

function containerEdit(command: string, plan: ContainerPlan): PlannedEdit {
  return {
    document: jsonDocument(command, containerPatchJson(plan, { kind: 'planned' })),
    text: containerPatchText(plan, { kind: 'planned' }, PLAIN, DETAIL),
    changed: containerChanges(plan),
    result: { writes: plan.rebuilt.writes, shift: undefined, fileSize: plan.rebuilt.fileSize },
    prove: (result, onProgress) => proveContainer(plan, result, () => onProgress ?? (() => undefined)),
  };
}
