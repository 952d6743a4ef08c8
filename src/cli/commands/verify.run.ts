/** `verify IMAGE`: the laws, the comparison with a baseline, and the second reader's opinion. */

import type { ByteSource } from '../../base/bytes/source.js';
import { PatchError } from '../../base/errors/patch-error.js';
import { printable } from '../../base/printable.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import type { AskedOptions } from '../../formats/note/line-options.js';
import { isPlainPe } from '../../formats/pe/kind.js';
import { looksLikePe, readPe } from '../../formats/pe/read.js';
import { judgeLoaders } from '../../loaders/loaders.js';
import { LOADER_NAMES, PE_LOADER_NAMES } from '../../loaders/names.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import { spanOf } from '../../loaders/span.js';
import type { Wrapped } from '../../loaders/wrapped.js';
import { holds } from '../../report/findings.js';
import { jsonDocument } from '../../report/json.js';
import { type LoaderFacts, loaderText, nameOf, outcomeWord } from '../../report/loader-report.js';
import { isGoodPe, peVerifyDocument, peVerifyText } from '../../report/pe-verify-report.js';
import { styleOf } from '../../report/text.js';
import { isGood, isSound, type VerifyFacts, verifyDocument, verifyText } from '../../report/verify-report.js';
import { CHECKS } from '../../verify/elf/checks.js';
import { verifyImage } from '../../verify/elf/verify.js';
import { PE_CHECKS, verifyPe } from '../../verify/pe/verify.js';
import { secondReader } from '../../verify/second-reader.js';
import type { ExitStatus } from '../command.js';
import { isNamedAgain, type OpenImage, openImage, openInput } from '../input.js';
import { wantsColor, writeOut } from '../output.js';
import { startProgress } from '../progress.js';
import { tell, writeAnswers } from '../told.js';
import type { VerifyArgs } from './verify.js';

/** Exit 1 when a law is broken, the baseline differs where it may not, or the second reader reads something else. */
export async function runVerify(args: VerifyArgs): Promise<ExitStatus> {
  if (args.checkRecord !== undefined) return byRecord(args, args.checkRecord);
  let input: OpenImage;
  try {
    input = await openImage(args.image, takenAsItStands, args.limit);
  } catch (error) {
    if (!(error instanceof PatchError) || !AS_IT_STANDS.has(error.id) || !isAskedOfLoaders(args)) throw error;
    return await loadersAlone(args, error);
  }
  try {
    if (!looksLikeElf(input.source) && isPlainPe(input.source)) {
      const problem = args.loaders.length > 0 && isAskedOfLoaders(args) ? headerProblem(input.source) : undefined;
      // Headers that keep us from reading it are what a loader has its own words for.
      return problem === undefined ? await runPe(args, input) : await loadersAlone(args, problem);
    }
    const baseline = args.baseline === undefined ? undefined : await openImage(args.baseline, looksLikeElf, args.limit);
    try {
      const facts = await judge(args, input, baseline);
      tellVerdicts(facts.unreadable !== undefined ? 'malformed' : isSound(facts) ? 'sound' : 'broken', facts.loaders);
      await report(args, facts);
      return isGood(facts) ? 0 : 1;
    } finally {
      baseline?.close();
    }
  } finally {
    input.close();
  }
}

/** What is recognised and holds no ELF; there are loaders that start it all the same. */
const AS_IT_STANDS: ReadonlySet<string> = new Set(['container.no-notes', 'bzimage.no-payload', 'bzimage.protocol']);

/** Is there anything but loaders to ask? Standard input was read once. */
function isAskedOfLoaders({ image, baseline }: VerifyArgs): boolean {
  return image !== '-' && baseline === undefined;
}

/**
 * Loaders on a file as it stands, in which there is nothing for us to read. Those that were named decide, as ever; where none was,
 * text has the table, and what the file is ends the command (exit 2).
 */
async function loadersAlone(args: VerifyArgs, what: PatchError): Promise<ExitStatus> {
  const input = openInput(args.image);
  const { source } = input;
  try {
    const { loaders: asked, xenVersion, memory, rules, format } = args;
    const names = asked.length > 0 ? asked : looksLikePe(source) ? PE_LOADER_NAMES : LOADER_NAMES;
    const { efiAdvice } = await import('../../edit/fix/efi-advice.js');
    const verdicts = judgeLoaders(source, { xenVersion, memory, names }).map((verdict) => ({
      ...withoutEdit(verdict),
      advice: accepts(verdict) ? undefined : (efiAdvice(source, verdict, imageNamed(args)) ?? instead(what)),
    }));
    const loaders = { image: imageNamed(args), xenVersion, memory, verdicts, asked, rules };
    const facts = { ...NOTHING, file: source.name, strict: args.strict, unreadable: what, loaders };
    tellVerdicts('no notes to read', loaders);
    if (asked.length === 0) {
      if (!args.json && format === undefined)
        writeOut(loaderText(source.name, loaders, styleOf(wantsColor(args.color))));
      throw what;
    }
    await report(args, facts);
    return isGood(facts) ? 0 : 1;
  } finally {
    input.close();
  }
}

/** What to do with a file that no loader of kernels takes. */
function instead({ detail, hint }: PatchError): string {
  return hint === undefined ? detail : `${detail}; ${hint}`;
}

/** No edit of ours goes into such a file. */
function withoutEdit(verdict: Verdict): Verdict {
  return { ...verdict, cure: undefined, warnings: verdict.warnings.map((each) => ({ ...each, cure: undefined })) };
}

async function report(args: VerifyArgs, facts: VerifyFacts): Promise<void> {
  const { format } = args;
  if (format !== undefined) {
    const { verifyAnswers } = await import('../../report/ci/ci-report.js');
    await writeAnswers(format, 'verify', verifyAnswers(facts, CHECKS));
  } else writeOut(args.json ? verifyDocument(facts) : verifyText(facts, styleOf(wantsColor(args.color))));
}

const RECORD_WORDS = {
  output: 'is the result that the record tells of',
  input: 'is what the result of the record was made from, not the result',
  other: 'is neither the result of the record nor what it was made from',
} as const;

/** Exit 1: the image is another one. */
async function byRecord({ image, json, format }: VerifyArgs, record: string): Promise<ExitStatus> {
  const { answerOf } = await import('../record.js');
  const answer = answerOf(record, image);
  const ok = answer === 'output';
  if (format !== undefined) {
    const faults = ok ? [] : [{ level: 'error', text: RECORD_WORDS[answer] } as const];
    await writeAnswers(format, 'verify', [
      { file: image, rule: 'check-record', because: `${RECORD_WORDS.output}, ${record}`, faults },
    ]);
  } else if (json) writeOut(jsonDocument('check-record', { file: image, record, ok, answer }));
  else writeOut(`${printable(image)}: ${RECORD_WORDS[answer]}, ${printable(record)}\n`);
  return ok ? 0 : 1;
}

function takenAsItStands(source: ByteSource): boolean {
  return looksLikeElf(source) || isPlainPe(source);
}

/** Why the headers of a PE image cannot be read, if so. */
function headerProblem(source: ByteSource): PatchError | undefined {
  try {
    readPe(source);
    return undefined;
  } catch (error) {
    if (error instanceof PatchError) return error;
    throw error;
  }
}

/** A PE image: the laws of its headers, and the loaders that take files of any format. */
async function runPe(args: VerifyArgs, input: OpenImage): Promise<ExitStatus> {
  const original =
    args.baseline === undefined ? undefined : await openImage(args.baseline, takenAsItStands, args.limit);
  try {
    const { loaders: asked, xenVersion, memory, rules } = args;
    const judged = judgeLoaders(input.source, {
      xenVersion,
      memory,
      names: asked.length > 0 ? asked : PE_LOADER_NAMES,
    });
    const image = readPe(input.source);
    const { provePe } = await import('../../edit/fix/pe-advice.js');
    const verdicts = provePe(image, judged, { xenVersion, memory, strict: args.strict });
    const facts = {
      file: input.file,
      baseline: original?.file,
      strict: args.strict,
      findings: verifyPe(image, original === undefined ? undefined : readPe(original.source)),
      loaders: { image: imageNamed(args), xenVersion, memory, line: lineOf(args), verdicts, asked, rules },
    };
    const { format } = args;
    tellVerdicts(holds(facts.findings) ? 'sound' : 'broken', facts.loaders);
    if (format !== undefined) {
      const { peVerifyAnswers } = await import('../../report/ci/ci-report.js');
      await writeAnswers(format, 'verify', peVerifyAnswers(facts, PE_CHECKS));
    } else writeOut(args.json ? peVerifyDocument(facts) : peVerifyText(facts, styleOf(wantsColor(args.color))));
    return isGoodPe(facts) ? 0 : 1;
  } finally {
    original?.close();
  }
}

async function judge(args: VerifyArgs, input: OpenImage, original: OpenImage | undefined): Promise<VerifyFacts> {
  const { loaders: asked, xenVersion, memory, rules } = args;
  const names = asked.length > 0 ? asked : LOADER_NAMES;
  const judged = judgeLoaders(input.source, { xenVersion, memory, names, wrapped: input.wrapped });
  const verdicts = (await withProvedCures(args, input, judged)).map((verdict) =>
    asked.length === 0
      ? verdict
      : { ...verdict, span: spanOf(input.source, verdict, { wrapped: input.wrapped, memory }) },
  );
  const loaders = { image: imageNamed(args), xenVersion, memory, line: lineOf(args), verdicts, asked, rules };
  if (asked.length > 0 && original === undefined) {
    const unreadable = readProblem(input);
    // Loaders are laxer than this reader, and they were what was asked about.
    if (unreadable !== undefined) {
      return { ...NOTHING, file: input.file, container: input.container, strict: args.strict, unreadable, loaders };
    }
  }
  const image = readElf(input.source);
  const baseline = original === undefined ? undefined : await baselineOf(original.source);
  const progress = startProgress('comparing');
  try {
    const findings = verifyImage({ image, baseline, onProgress: progress.report });
    return {
      file: input.file,
      container: input.container,
      baseline: original?.file,
      strict: args.strict,
      findings,
      secondReader: await secondReader(image),
      loaders,
    };
  } finally {
    progress.end();
  }
}

/** The image before the edit; `fix` repairs headers that keep an image from being read, so those are no obstacle here. */
async function baselineOf(source: ByteSource): Promise<ElfImage> {
  try {
    return readElf(source);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    const { readRepaired } = await import('../../edit/fix/header-repair.js');
    return readRepaired(source).image;
  }
}

/** No edit is named that was not tried on this image. Text tells them for the loaders that were asked about only. */
async function withProvedCures(args: VerifyArgs, { source, wrapped }: OpenImage, verdicts: readonly Verdict[]) {
  if (!args.json && !args.rules && args.loaders.length === 0) return verdicts;
  if (verdicts.every((verdict) => accepts(verdict) && verdict.warnings.every(({ cure }) => cure === undefined))) {
    return verdicts;
  }
  const { MOST_UNPACKED, proveCure, startSearch } = await import('../../edit/fix/cure.js');
  const ways = wrapped === undefined || source.size > MOST_UNPACKED ? undefined : await waysOf(wrapped);
  const { xenVersion, memory, strict } = args;
  const options = { xenVersion, memory, wrapped, ways, line: lineOf(args), strict, shared: startSearch(source) };
  return verdicts.map((verdict) => proveCure(source, verdict, options));
}

/** What a printed command says again. `--strict` is asked of the verdict here, and of the printed command's result by that. */
function lineOf({ limit }: VerifyArgs): AskedOptions {
  return { limit };
}

/** How an edited kernel could be wrapped. What is wrapped was opened before, so it can be opened again. */
async function waysOf({ outer }: Wrapped) {
  const { openContainer } = await import('../../formats/container/open.js');
  const { waysFor } = await import('../../edit/fix/ways.js');
  const opened = await openContainer(outer);
  return opened.kind === 'elf' ? undefined : waysFor(opened, outer);
}

/** For the table of a batch. */
function tellVerdicts(word: string, loaders: LoaderFacts | undefined): void {
  const verdicts = (loaders?.verdicts ?? []).map((verdict) => ({
    loader: nameOf(verdict, loaders?.asked ?? []),
    word: outcomeWord(verdict),
  }));
  tell({ word, verdicts });
}

/** The image as a command line can name it again. */
function imageNamed({ image }: VerifyArgs): string | undefined {
  return isNamedAgain(image) ? image : undefined;
}

const NOTHING = { baseline: undefined, findings: [], secondReader: { verdict: 'cannot-read', details: [] } } as const;

/** Why the image cannot be read here, if so. */
function readProblem({ source }: OpenImage): PatchError | undefined {
  try {
    readElf(source);
    return undefined;
  } catch (error) {
    if (error instanceof PatchError && error.id !== 'read.open') return error;
    throw error;
  }
}
