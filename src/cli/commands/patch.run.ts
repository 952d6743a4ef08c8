/** `patch`: from the command line to a plan, and from the plan to a written and proved image. */

import { fail } from '../../base/errors/patch-error.js';
import { planPatch, planUnchanged } from '../../edit/elf/pipeline.js';
import { refuseTooManyHeaders } from '../../edit/elf/plan/most-headers.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementOptions,
} from '../../edit/elf/plan/placement-options.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { parseSetting } from '../../formats/note/value.js';
import { parseNoteName } from '../../formats/note/xen-notes.js';
import { walkAsXen } from '../../loaders/read/loader-walks.js';
import { applyPlan, imageOf, withWarnings } from '../apply.js';
import type { ExitStatus } from '../command.js';
import { type OpenInput, openImage, openInput } from '../input.js';
import { refusePayload } from '../result-options.js';
import type { PatchArgs } from './patch.js';

/** Runs the command. Exit 1: `--check` found work to do, or the result did not prove right. */
export async function runPatch(args: PatchArgs): Promise<ExitStatus> {
  const input = openInput(args.image);
  try {
    return await patch(args, input);
  } finally {
    input.close();
  }
}

async function patch(args: PatchArgs, input: OpenInput): Promise<ExitStatus> {
  if (!looksLikeElf(input.source)) return patchInside(args, input);
  refusePayload(args, input.source.name);
  const { image, warnings } = imageOf(input.source, args);
  const { edits, options, files } = await wishOf(args);
  if (edits.length === 0 && warnings.length === 0) fail('plan.no-edit', { file: args.image }, {});
  if (edits.length > 0) refuseTooManyHeaders(image);
  const plan = withWarnings(edits.length === 0 ? planUnchanged(image) : planPatch(image, edits, options), warnings);
  return applyPlan('patch', plan, args, input, files);
}

/** A file that is no ELF: what it wraps is loaded, with all that unpacks it, only now. */
async function patchInside(args: PatchArgs, input: OpenInput): Promise<ExitStatus> {
  const { applyContainer, openWrapped } = await import('../apply-container.js');
  const { planInside } = await import('../../edit/container/pipeline.js');
  const opened = await openWrapped(input, args.limit);
  const { edits, options, files } = await wishOf(args);
  const withoutEdits = args.payload === 'detach' || args.payload === 'extract' || args.stripSignature;
  if (edits.length === 0 && !withoutEdits) fail('plan.no-edit', { file: args.image }, {});
  const elf = args.payload === 'detach' ? undefined : planInside(opened, edits, options);
  return applyContainer('patch', opened, elf, args, input, files);
}

interface WishAndFiles {
  readonly edits: readonly Edit[];
  readonly options: PlacementOptions;
  /** Every file that the result depends on besides the image, for the dependency file. */
  readonly files: readonly string[];
}

/** The command line as edits and a placement. Errors: `note.*` for names and values, `plan.no-notes-to-copy`. */
async function wishOf(args: PatchArgs): Promise<WishAndFiles> {
  const edits: Edit[] = [];
  const files: string[] = [];
  let { placement, section } = args;
  if (args.clear) edits.push({ kind: 'clear' });
  if (args.fromLegacy) edits.push({ kind: 'from-legacy' });
  for (const file of args.copyFrom) {
    files.push(file);
    edits.push({ kind: 'copy-from', file, notes: await notesOf(file, args.limit) });
  }
  for (const name of args.preset) edits.push({ kind: 'preset', name });
  for (const file of args.spec) {
    const { loadSpec } = await import('../../formats/note/spec-file.js');
    const spec = loadSpec(file);
    files.push(file);
    for (const { setting } of spec.notes) if (setting.expr.kind === 'file') files.push(setting.expr.path);
    edits.push({
      kind: 'spec',
      file,
      edits: [
        ...(spec.preset === undefined ? [] : [{ kind: 'preset', name: spec.preset } as const]),
        ...spec.notes.map(({ setting }) => ({ kind: 'set', setting }) as const),
        ...spec.remove.map((name) => ({ kind: 'unset', type: parseNoteName(name).type }) as const),
      ],
    });
    placement ??= PLACEMENTS.find((name) => name === spec.placement);
    section ??= spec.section;
  }
  for (const text of args.set) {
    const setting = parseSetting(text);
    if (setting.expr.kind === 'file') files.push(setting.expr.path);
    edits.push({ kind: 'set', setting });
  }
  for (const name of args.unset) edits.push({ kind: 'unset', type: parseNoteName(name).type });
  const options: PlacementOptions = {
    placement: placement ?? DEFAULT_PLACEMENT.placement,
    loaded: args.loaded,
    section: section ?? DEFAULT_PLACEMENT.section,
    notesAlign: args.notesAlign,
    mustSurvive: args.mustSurvive,
    kind: args.kind,
  };
  return { edits, options, files };
}

/** The Xen notes of another image, as Xen sees them. */
async function notesOf(file: string, limit: bigint | undefined) {
  const image = await openImage(file, looksLikeElf, limit);
  try {
    const { notes } = walkAsXen(readElf(image.source));
    if (notes.length === 0) fail('plan.no-notes-to-copy', { file }, {});
    return notes.map(({ record }) => ({ name: record.name, type: record.type, desc: record.desc }));
  } finally {
    image.close();
  }
}
