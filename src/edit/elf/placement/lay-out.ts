/**
 * From the notes wanted to the layout that brings them in with the least disturbance. Every placement is tried in order;
 * those that do not work leave their reason behind.
 */

import { fail } from '../../../base/errors/patch-error.js';
import { PT_NOTE } from '../../../formats/elf/names.js';
import type { NoteRecord } from '../../../formats/note/record.js';
import { settingText } from '../../../formats/note/setting-text.js';
import { shellWord } from '../../../formats/note/shell.js';
import type { ValueExpr } from '../../../formats/note/value.js';
import { noteInfo, noteName } from '../../../formats/note/xen-notes.js';
import type { Analysis } from '../plan/analyze.js';
import { kindWords } from '../plan/image-kind.js';
import { PLACEMENTS, type PlacementName } from '../plan/placement-options.js';
import { append } from './append.js';
import { extend } from './extend.js';
import { withFreeRoom } from './free-room.js';
import { grow, inPlace } from './in-place.js';
import { brokenLaw } from './laws.js';
import { isLayout, type Layout, type Refusal, type Survival } from './layout.js';
import { lostFromMemory } from './loaded-notes.js';
import { moveTable } from './move-table.js';
import { hideStaleNotes } from './neutralize-notes.js';
import { newLoad } from './new-load.js';
import { newTable } from './new-table.js';
import { overwriteOnly } from './overwrite.js';
import type { PlacementInput } from './placement-input.js';
import { payloadMustEnd } from './program.js';
import { misleadsQemu } from './qemu-overrun.js';
import { shift } from './shift.js';
import { staysAfterUndo } from './stays.js';
import { lostTo, resultOf } from './survival.js';
import { undo } from './undo.js';

const TRY: Readonly<Record<PlacementName, (input: PlacementInput) => Layout | Refusal>> = {
  'in-place': inPlace,
  grow,
  append,
  extend,
  'move-table': moveTable,
  shift,
  'new-load': newLoad,
  'new-table': newTable,
};

/** Why a layout must not be taken, in one line; undefined when it may. */
export type Judge = (layout: Layout) => string | undefined;

/** The layout that was chosen, with what was tried before it. */
export interface LaidOut {
  readonly layout: Layout;
  /** Placements tried before the one taken, and why each did not work. */
  readonly refused: readonly Refusal[];
}

/**
 * Takes the first placement that works, in their order: one whose result the laws of a layout and `stoppedBy`, the
 * verifier's word on it, let through. Errors: `plan.unreadable-note`, `plan.impossible` and `plan.program` (with every reason).
 */
export function layOut(given: PlacementInput, stoppedBy: Judge = () => undefined): LaidOut {
  const { image } = given.analysis;
  const faultOf = (layout: Layout) => brokenLaw(image, layout) ?? stoppedBy(layout);
  const refused: Refusal[] = [];
  const overwritten = overwriteOnly(given);
  if (overwritten !== undefined) {
    const fault = faultOf(overwritten);
    if (fault === undefined) return { layout: overwritten, refused };
    refused.push({ placement: overwritten.placement, reason: fault });
  }
  const undone = undoneAs(given);
  if (undone !== undefined && faultOf(undone) === undefined) return { layout: undone, refused };
  const input = withRewrittenOnce(given);
  refuseDamage(input);
  const isNoKernel = input.kind.kind === 'program' && !input.xenEdited;
  for (const placement of order(input)) {
    const tried = TRY[placement](input);
    if (!isLayout(tried)) {
      refused.push(tried);
      continue;
    }
    const outcome = withFreeRoom(input, hideStaleNotes(input, tried), false);
    const payload = payloadMustEnd(input, outcome.fileSize);
    if (payload !== undefined) {
      refused.push({ placement, reason: payload, sparesProgram: true });
      continue;
    }
    const misled = unseenByXen(outcome) ?? (isNoKernel ? undefined : misleadsQemu(input, outcome));
    if (misled !== undefined) {
      refused.push({ placement, reason: misled });
      continue;
    }
    const fault = faultOf(outcome);
    if (fault !== undefined) {
      refused.push({ placement, reason: fault });
      continue;
    }
    const { mustSurvive } = input.options;
    const lost = mustSurvive.length === 0 ? [] : lostTo(resultOf(image, outcome), image, mustSurvive);
    if (lost.length === 0) {
      const warnings = [...outcome.warnings, ...lostFromMemory(input, outcome)];
      const stays = [...(outcome.stays ?? []), ...staysAfterUndo(input, outcome)];
      return { layout: { ...outcome, warnings, stays }, refused };
    }
    refused.push({ placement, reason: lost.map(lossText).join(', ') });
  }
  const place = { file: image.source.name };
  if (!refused.some(({ sparesProgram }) => sparesProgram)) {
    const { hasInterpreter, hasPhdrSegment } = input.analysis;
    const isLinkedAsProgram = input.kind.kind === 'kernel' && (hasInterpreter || hasPhdrSegment);
    return fail('plan.impossible', place, { refused, isLinkedAsProgram });
  }
  return fail('plan.program', place, { what: kindWords(input.kind), refused });
}

/** What was before an edit, where this one takes it back and no tool of `--must-survive` is in the way. */
function undoneAs(input: PlacementInput): Layout | undefined {
  const { placement, mustSurvive } = input.options;
  if (placement !== 'auto' && placement !== 'in-place') return undefined;
  const undone = undo(input);
  if (undone === undefined) return undefined;
  const outcome = withFreeRoom(input, hideStaleNotes(input, undone), true);
  const isNoKernel = input.kind.kind === 'program' && !input.xenEdited;
  if (unseenByXen(outcome) !== undefined || (!isNoKernel && misleadsQemu(input, outcome) !== undefined))
    return undefined;
  const { image } = input.analysis;
  return mustSurvive.length > 0 && lostTo(resultOf(image, outcome), image, mustSurvive).length > 0
    ? undefined
    : outcome;
}

function lossText({ tool, verdict, why }: Survival): string {
  return `${verdict === 'unknown' ? 'not known to survive' : 'does not survive'} ${tool} (${why})`;
}

/** Descriptors that would be overwritten where they stand, among records that are rewritten anyway: written once. */
function withRewrittenOnce(input: PlacementInput): PlacementInput {
  const { otherOwners, target } = input;
  const offsets = new Set(target.records.map(({ offset }) => offset));
  const [inTarget, outside] = [true, false].map((is) =>
    otherOwners.overwritten.filter(({ record }) => offsets.has(record.offset) === is),
  );
  if (inTarget === undefined || outside === undefined || inTarget.length === 0) return input;
  const changed = new Map([
    ...otherOwners.changed,
    ...inTarget.map(({ record, content }) => [record.offset, content] as const),
  ]);
  return { ...input, otherOwners: { ...otherOwners, changed, overwritten: outside } };
}

/** Xen takes e_phnum as it stands (libelf knows no PN_XNUM), so it never comes to the entries behind that number. */
function unseenByXen({ header, segments, noteRange }: Layout): string | undefined {
  if (segments.length <= header.e_phnum || noteRange === undefined) return undefined;
  const index = segments.findIndex((s) => s.p_type === PT_NOTE && s.p_offset === noteRange.start);
  if (index < header.e_phnum) return undefined;
  return `Xen reads ${header.e_phnum} program headers, and the PT_NOTE would be number ${index}`;
}

/** Least disturbing first; notes that were in memory try to stay there. */
function order({ options, target }: PlacementInput): readonly PlacementName[] {
  if (options.placement !== 'auto') return [options.placement];
  const stayLoaded = options.loaded === true || (options.loaded === undefined && target.loaded !== undefined);
  if (!stayLoaded) return PLACEMENTS;
  return ['in-place', 'grow', 'extend', ...PLACEMENTS.filter((p) => !['in-place', 'grow', 'extend'].includes(p))];
}

/** A note that cannot be read whole is not copied; an edit that replaces or removes it is welcome. */
function refuseDamage({ analysis, target, wanted, xenEdited }: PlacementInput): void {
  const { damaged } = target;
  if (damaged === undefined) return;
  const { area, record, why } = damaged;
  const kept = record === undefined || wanted.some(({ content }) => content === record);
  if (kept) {
    const place = { file: analysis.image.source.name, offset: record?.offset ?? area.walk.end, part: area.name };
    const edit = record === undefined ? undefined : mendingEdit(analysis, record);
    fail('plan.unreadable-note', place, { area: area.name, why, edit, byPatch: xenEdited });
  }
}

/** The edit that writes a damaged note of Xen's anew, with what Xen reads of it; where it reads nothing, the note goes. */
function mendingEdit({ xen }: Analysis, { offset, type }: NoteRecord): string {
  const reads = xen.notes.find(({ record }) => record.offset === offset)?.reads;
  const expr: ValueExpr | undefined =
    reads?.kind === 'string'
      ? { kind: 'text', text: reads.text }
      : reads?.kind === 'number'
        ? { kind: 'number', value: reads.value }
        : undefined;
  const text = expr === undefined ? undefined : settingText({ type, info: noteInfo(type), width: undefined, expr });
  const word = text === undefined ? undefined : shellWord(text);
  return word === undefined ? `--unset ${noteName(type)}` : `--set ${word}`;
}
