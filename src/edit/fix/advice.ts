/** What to say where no edit is known that makes a loader take an image: what is in the way, or what its builder can tell. */
import type { ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import type { PatchError } from '../../base/errors/patch-error.js';
import { multibootHeaders } from '../../formats/multiboot/headers.js';
import { QEMU_MB1 } from '../../formats/multiboot/windows.js';
import { editFix, preset, wrapperFix } from '../../formats/note/fix.js';
import { fixCommand } from '../../formats/note/fix-command.js';
import { judgeLoaders } from '../../loaders/loaders.js';
import { isOfFamily } from '../../loaders/names.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import { looksThrough } from '../../loaders/wrapped.js';
import { efiAdvice } from './efi-advice.js';
import { pvAdvice, pvhAdvice } from './entry-advice.js';
import { damageAdvice, linkAdvice } from './link-advice.js';
import { guessesEntry, imageFix } from './rule-fix.js';
import { attempt, isFailure, isUntold, type Subject } from './search.js';
import { BARE } from './way.js';

/** Refusals of a plan that mean: the image does not tell. */
const NOT_TOLD: ReadonlySet<string> = new Set(['plan.preset-missing', 'plan.no-load-holds', 'plan.no-symbol']);

/** What an edit of a signed kernel leaves to do. */
export const SIGN_AGAIN =
  'the Secure Boot signature covers every byte and is taken off: sign the result again, or Secure Boot refuses it';

/** Where an image stands, for what is said of it. */
type RewriteTarget = Pick<Subject, 'source' | 'before' | 'line'>;

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

/**
 * What is in the way of a loader. `error`: of the edit that its rule names, where that cannot be made. `subject`: undefined
 * where the image cannot be read. `byPreset`: the command that makes the edit of a preset.
 */
export function adviceFor(
  home: RewriteTarget,
  verdict: Verdict,
  error: PatchError | undefined,
  subject?: Subject,
  byPreset = (name: string): string => presetCommand(home, name),
): string | undefined {
  const { loader, cure, rule } = verdict;
  const efi = efiAdvice(home.before?.outer ?? home.source, verdict, fileOf(home));
  if (efi !== undefined) return efi;
  const link = linkAdvice(home.source, verdict);
  if (error?.id === 'plan.unsound' || error?.id.startsWith('read.') === true) {
    return `no edit of notes fixes it: ${error.detail}; ${damageAdvice(home.source, verdict)}`;
  }
  // A rule that no edit answers is a matter of the source or the link.
  if (link !== undefined && cure === undefined) return link;
  if (subject !== undefined && cure !== undefined && isUntold(verdict, subject.told)) {
    return pvAdvice(subject, loader, byPreset);
  }
  const wantsEntry = isOfFamily(loader, 'pvh') && cure !== undefined && subject?.told.pvh === false;
  const untold = wantsEntry || (error === undefined ? guessesEntry(cure) : NOT_TOLD.has(error.id));
  const lost = loader === 'qemu-pvh' && rule === 'pvh-note' ? multibootOutOfReach(home.source) : undefined;
  if (untold && lost !== undefined) return lost;
  if (untold && isOfFamily(loader, 'pvh')) {
    if (subject === undefined) return 'nothing in the image tells a 32-bit entry made for PVH';
    return pvhAdvice(subject, loader, byPreset);
  }
  // That a preset finds no entry tells nothing to a loader that goes by none.
  const idle = error !== undefined && guessesEntry(cure) && NOT_TOLD.has(error.id);
  if (link !== undefined) return link;
  if (error !== undefined && !idle) return `no edit is known that fixes it: ${error.detail}`;
  return cure === undefined ? undefined : 'no edit of notes is known that fixes it';
}

/** What a verdict advises without a search: the edit that its rule names is tried, to see what is in its way. */
export function adviceOn(subject: Subject, verdict: Verdict): string | undefined {
  const { cure, loader } = verdict;
  const fix = imageFix(cure);
  if (fix?.wrapper !== undefined) return fixCommand(fix, { ...subject.line, file: fileOf(subject), loaders: [loader] });
  const taken = takenOut(subject, loader);
  if (taken !== undefined) return taken;
  const after = fix === undefined ? undefined : attempt(subject, { ...BARE, after: subject.before }, fix.edits);
  return adviceFor(subject, verdict, after !== undefined && isFailure(after) ? after.error : undefined, subject);
}

/** The command that makes the edit of a preset, on the file in its wrapper. */
function presetCommand({ source, before, line }: RewriteTarget, name: string): string {
  const signed = before?.facts.kind === 'bzimage' && before.facts.signed;
  const wrapper = signed ? ({ stripSignature: true } as const) : undefined;
  return fixCommand({ ...editFix(preset(name)), wrapper }, { ...line, file: fileOf({ source, before }), loaders: [] });
}

/** What a loader that unpacks nothing would make of the kernel inside, and how it is taken out. */
function takenOut(subject: Subject, loader: string): string | undefined {
  const { image, before, xenVersion, memory, line } = subject;
  if (before === undefined || isOfFamily(loader, 'pe') || looksThrough(loader, before.facts.kind)) return undefined;
  const [inside] = judgeLoaders(image.source, { names: [loader], xenVersion, memory });
  const out = { ...line, file: fileOf(subject), loaders: [loader] };
  if (inside === undefined || accepts(inside)) {
    const command = fixCommand(wrapperFix({ payload: 'extract' }), out);
    // The command is the last word: what is copied to the end of the line has to run.
    return `the file is not unpacked, and the kernel in it is loaded; to take it out: ${command}`;
  }
  const said = `the file is not unpacked, and the kernel in it would get this answer: ${inside.message ?? ''}`;
  const bare = { ...subject, source: image.source, before: undefined };
  // To take it out would not be enough: what is said of the kernel is said of one that was taken out.
  const next = adviceFor(bare, inside, undefined, bare, (name) =>
    fixCommand({ ...editFix(preset(name)), wrapper: { payload: 'extract' } }, out),
  );
  return next === undefined ? said : `${said}; ${next}`;
}

/** The file that the image stands in, as a command line names it; undefined for standard input, which has no such name. */
export function fileOf({ source, before }: RewriteTarget): string | undefined {
  const { name } = before?.outer ?? source;
  return name === '<stdin>' ? undefined : name;
}
