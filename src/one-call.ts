/**
 * The work of a command in one call each: files in, plain values out. They are made of the stages, look through gzip files and
 * bzImages as the command does, and close what they open.
 */
import { FileSource } from './base/bytes/file-source.js';
import type { ByteSource } from './base/bytes/source.js';
import { containerChanges, planContainer, planInside, writeContainer } from './edit/container/pipeline.js';
import { changes, planPatch, type Written, writePatch } from './edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type Edit, type PlacementOptions } from './edit/elf/plan/placement-options.js';
import { type FoundFix, findFix } from './edit/fix/fix.js';
import { type OpenedContainer, openContainer } from './formats/container/open.js';
import type { ElfImage } from './formats/elf/image.js';
import { looksLikeElf, readElf } from './formats/elf/read.js';
import { parseSetting } from './formats/note/value.js';
import { parseNoteName } from './formats/note/xen-notes.js';
import { type NotesFacts, notesFacts } from './inspect/notes/notes-facts.js';
import { judgeLoaders } from './loaders/loaders.js';
import { accepts, type Verdict } from './loaders/rule.js';
import type { XenVersion } from './loaders/xen-version.js';
import type { Finding } from './verify/check.js';
import { verifyImage } from './verify/elf/verify.js';
import { type SecondOpinion, secondReader } from './verify/second-reader.js';
import { lockForRun } from './write/lock.js';

/** What patchFile is asked for. Edits apply in the order of the members, whatever their order here. */
export interface PatchFileOptions {
  /** Drop every Xen note first. */
  readonly clear?: boolean;
  /** `pvh`, `pv+dom0` …: a named set, filled from the image. */
  readonly preset?: string;
  /** Notes by name, each with its value as `--set NAME=VALUE` takes it. */
  readonly set?: Readonly<Record<string, string>>;
  /** Names of notes to remove. */
  readonly unset?: readonly string[];
  /** Where the notes go; what is left out is as the command has it. */
  readonly placement?: Partial<PlacementOptions>;
  /** Where the result goes; undefined: the image itself is changed, all or nothing. */
  readonly output?: string;
}

/** What became of an edit. */
export interface FileResult {
  /** Did the edit change a byte? Where it did not, an output is a copy. */
  readonly changed: boolean;
  readonly warnings: readonly string[];
  readonly written: Written;
}

/**
 * Writes Xen notes into a file, proved before it takes the place of its target.
 *
 * ```ts
 * import { patchFile } from 'xen-elfpatch';
 *
 * const { changed } = await patchFile('kernel.elf', { preset: 'pvh', output: 'kernel.pvh' });
 * ```
 *
 * Errors: those of planPatch and writePatch, for a kernel in a container those of planContainer and writeContainer.
 */
export async function patchFile(path: string, options: PatchFileOptions): Promise<FileResult> {
  const { placement = {}, output } = options;
  const unlock = output === undefined ? lockForRun(path) : undefined;
  let source: FileSource | undefined;
  try {
    source = FileSource.open(path);
    const edits = editsOf(options);
    const wish = { ...DEFAULT_PLACEMENT, ...placement };
    if (looksLikeElf(source)) {
      const plan = planPatch(readElf(source), edits, wish);
      const written = await writePatch(plan, { inputPath: path, output });
      return { changed: changes(plan), warnings: plan.warnings, written };
    }
    const opened = await containerAt(source);
    const plan = await planContainer(source, opened, planInside(opened, edits, wish), NO_CONTAINER_WISH);
    const written = await writeContainer(plan, { inputPath: path, output });
    return { changed: containerChanges(plan), warnings: plan.warnings, written };
  } finally {
    source?.close();
    unlock?.();
  }
}

function editsOf({ clear, preset, set = {}, unset = [] }: PatchFileOptions): readonly Edit[] {
  return [
    ...(clear === true ? [{ kind: 'clear' } as const] : []),
    ...(preset === undefined ? [] : [{ kind: 'preset', name: preset } as const]),
    ...Object.entries(set).map(
      ([name, value]) => ({ kind: 'set', setting: parseSetting(`${name}=${value}`) }) as const,
    ),
    ...unset.map((name) => ({ kind: 'unset', type: parseNoteName(name).type }) as const),
  ];
}

const NO_CONTAINER_WISH = { way: undefined, compressor: undefined, stripSignature: false, keepTail: false } as const;

async function containerAt(source: ByteSource): Promise<OpenedContainer> {
  const opened = await openContainer(source);
  if (opened.kind === 'elf') throw new TypeError('a container was expected, found an ELF');
  return opened;
}

/** What verifyFile is asked. */
export interface VerifyFileOptions {
  /** The file before it was patched: nothing but notes and headers may differ. */
  readonly baseline?: string;
  /** Loaders that have to take it, `NAME` or `NAME@VERSION`; without any, all are judged and none decides. */
  readonly loaders?: readonly string[];
  readonly xenVersion?: XenVersion;
}

/** What verifyFile answers. */
export interface VerifyFileResult {
  /** As the exit status of `verify`: loaders that were named decide, and with a baseline the structure too; else that alone. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly secondReader: SecondOpinion;
  readonly verdicts: readonly Verdict[];
}

/**
 * Is a file sound, and which loaders would start it?
 *
 * ```ts
 * import { verifyFile } from 'xen-elfpatch';
 *
 * const { ok, verdicts } = await verifyFile('kernel.elf', { loaders: ['qemu-pvh'] });
 * ```
 *
 * Errors: those of opening and reading the files.
 */
export async function verifyFile(path: string, options: VerifyFileOptions = {}): Promise<VerifyFileResult> {
  const { baseline, loaders = [], xenVersion } = options;
  return withElf(path, async (image, judged, wrapped) => {
    const compare = async (original: ElfImage | undefined): Promise<VerifyFileResult> => {
      const findings = verifyImage({ image, baseline: original });
      const second = await secondReader(image);
      const names = loaders.length > 0 ? { names: loaders } : {};
      const verdicts = judgeLoaders(judged, { ...names, ...(xenVersion === undefined ? {} : { xenVersion }), wrapped });
      const sound = second.verdict !== 'differs' && findings.every(({ level }) => level !== 'error');
      const taken = loaders.length === 0 || verdicts.every(accepts);
      const structureCounts = loaders.length === 0 || original !== undefined;
      return { ok: taken && (sound || !structureCounts), findings, secondReader: second, verdicts };
    };
    return baseline === undefined ? compare(undefined) : withElf(baseline, (original) => compare(original));
  });
}

/**
 * Every note of a file, with its place and what Xen would do with it.
 *
 * ```ts
 * import { notesOf } from 'xen-elfpatch';
 *
 * const { notes } = await notesOf('kernel.elf');
 * ```
 *
 * Errors: those of opening and reading the file.
 */
export async function notesOf(path: string): Promise<NotesFacts> {
  return withElf(path, async (image) => notesFacts(image));
}

/** What became of a fix: what was found, and what was written of it. */
export interface FixFileResult {
  readonly found: FoundFix;
  /** Undefined: there is nothing to mend, no cure, or no place was named for the result. */
  readonly written: Written | undefined;
}

/**
 * Finds the smallest edit that makes loaders take an ELF file, and writes it where `output` says (the file itself: its own
 * name). Without `loaders`: those that its notes are for.
 *
 * ```ts
 * import { fixFile } from 'xen-elfpatch';
 *
 * const { found } = await fixFile('kernel.elf', { loaders: ['qemu-pvh'] });
 * const isMended = found.cured;
 * ```
 *
 * Errors: those of opening and reading the file, of findFix and writePatch.
 */
export async function fixFile(
  path: string,
  { loaders = [], output }: { readonly loaders?: readonly string[]; readonly output?: string } = {},
): Promise<FixFileResult> {
  const unlock = output === path ? lockForRun(path) : undefined;
  let source: FileSource | undefined;
  try {
    source = FileSource.open(path);
    const found = findFix(source, loaders);
    const { plan, cured } = found;
    if (plan === undefined || !cured || output === undefined || !changes(plan)) return { found, written: undefined };
    const target = output === path ? undefined : output;
    return { found, written: await writePatch(plan, { inputPath: path, output: target }) };
  } finally {
    source?.close();
    unlock?.();
  }
}

type Use<Result> = (
  image: ElfImage,
  source: ByteSource,
  wrapped: Parameters<typeof judgeLoaders>[1] extends { readonly wrapped?: infer Wrapped } | undefined
    ? Wrapped
    : never,
) => Promise<Result>;

/** The ELF of a file, whatever it is wrapped in. */
async function withElf<Result>(path: string, use: Use<Result>): Promise<Result> {
  const source = FileSource.open(path);
  try {
    if (looksLikeElf(source)) return await use(readElf(source), source, undefined);
    const opened = await containerAt(source);
    return await use(readElf(opened.elf), opened.elf, { facts: opened.facts, outer: source });
  } finally {
    source.close();
  }
}
