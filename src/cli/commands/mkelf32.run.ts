/** `mkelf32`: from the words to a container, and from the container to a file. */
import { statSync } from 'node:fs';
import { FileSource } from '../../base/bytes/file-source.js';
import type { ByteSource } from '../../base/bytes/source.js';
import type { Container } from '../../edit/mkelf32/container.js';
import { planOriginal } from '../../edit/mkelf32/mkelf32.js';
import { multibootWarnings } from '../../edit/mkelf32/multiboot.js';
import { hexAsC, isPlainHex, loadBase } from '../../edit/mkelf32/numbers.js';
import { type Variant, variantOf } from '../../edit/mkelf32/variants.js';
import { writeMkelf32 } from '../../edit/mkelf32/write.js';
import { readElf } from '../../formats/elf/read.js';
import { parseSetting } from '../../formats/note/value.js';
import type { Verdict } from '../../loaders/rule.js';
import { jsonDocument } from '../../report/json.js';
import {
  type Mkelf32Facts,
  mkelf32Json,
  mkelf32Text,
  variantsJson,
  variantsText,
} from '../../report/mkelf32-report.js';
import type { ExitStatus } from '../command.js';
import { finish, type Outcome } from '../finish.js';
import { type OpenInput, openInput } from '../input.js';
import { writeOut } from '../output.js';
import type { Mkelf32Args, Mkelf32Work } from './mkelf32.js';

/** Runs the command. Exit 0: written. Every refusal is an error, exit 2. */
export async function runMkelf32(args: Mkelf32Args): Promise<ExitStatus> {
  if (args.kind === 'list') {
    writeOut(args.json ? jsonDocument('mkelf32-variants', variantsJson()) : variantsText());
    return 0;
  }
  const variant = args.tidy ? undefined : variantOf(args.compat ?? 'newest');
  const input = openInput(args.input);
  try {
    return await wrap(args, variant, input);
  } finally {
    input.close();
  }
}

/** The result in the eyes of each loader. */
interface Wrapped {
  /** What the way of writing means for others. */
  readonly warnings: readonly string[];
  /** Undefined when there is no file to be read again. */
  readonly verdicts: readonly Verdict[] | undefined;
}

async function wrap(args: Mkelf32Work, variant: Variant | undefined, input: OpenInput): Promise<ExitStatus> {
  const { source } = input;
  const container = await plan(args, variant, input);
  const warnings = [...numberWarnings(args, variant), ...container.warnings, ...multibootWarnings(source, container)];
  const factsOf = (outcome: Outcome<Wrapped>): Mkelf32Facts => {
    const written = outcome.kind === 'written' ? outcome.written : { warnings: [], verdicts: undefined };
    return {
      input: source.name,
      output: args.output,
      as: variant,
      container,
      warnings: [...warnings, ...written.warnings],
      verdicts: written.verdicts,
    };
  };
  return finish<Wrapped>(
    {
      command: 'mkelf32',
      file: source.name,
      inputPath: input.path,
      warnings,
      changes: true,
      files: [],
      async write(output = args.output) {
        const check = args.tidy ? await structureCheck() : undefined;
        const told = await writeMkelf32(source, container, { input: input.path, output, strict: args.strict, check });
        // Where the image goes to standard output, so does nothing else.
        return { warnings: told, verdicts: args.output === '-' ? undefined : await verdictsOn(output) };
      },
      text: (outcome) => (args.output === '-' ? '' : mkelf32Text(factsOf(outcome))),
      json: (outcome) => mkelf32Json(factsOf(outcome)),
    },
    { ...args, ...ALWAYS_WRITES, image: args.input },
  );
}

/** The tool whose place the command takes has one target, and writes it. */
const ALWAYS_WRITES = {
  inPlace: false,
  ifChanged: false,
  dryRun: false,
  check: false,
  depfile: undefined,
  depfileTarget: undefined,
  color: 'never',
} as const;

async function plan(args: Mkelf32Work, variant: Variant | undefined, { source }: OpenInput): Promise<Container> {
  const base = loadBase(args.loadBase);
  const finalExec = args.finalExec === undefined ? undefined : hexAsC(args.finalExec);
  if (variant !== undefined) return planOriginal(source, { notes: args.notes, loadBase: base, finalExec, variant });
  const { planTidy } = await import('../../edit/mkelf32/tidy.js');
  return planTidy(readElf(source), {
    loadBase: base,
    notes: args.notes,
    settings: args.note.map(parseSetting),
    keepSections: args.keep.includes('sections'),
    keepSymbols: args.keep.includes('symbols'),
  });
}

/** What the original writes is as it is; what we write by our own rules has to obey those of the format. */
async function structureCheck(): Promise<(result: ByteSource) => void> {
  const { refuseErrors } = await import('../../verify/refuse-errors.js');
  const { verifyImage } = await import('../../verify/elf/verify.js');
  return (result) => refuseErrors(verifyImage({ image: readElf(result) }));
}

/** The written file in the eyes of each loader; undefined when there is none to be read again. */
async function verdictsOn(output: string): Promise<readonly Verdict[] | undefined> {
  if (statSync(output, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const { judgeLoaders } = await import('../../loaders/loaders.js');
  const source = FileSource.open(output);
  try {
    return judgeLoaders(source);
  } finally {
    source.close();
  }
}

/** C reads any text as a number and says nothing; a person would want to know. */
function numberWarnings(args: Mkelf32Work, variant: Variant | undefined): string[] {
  const warnings: string[] = [];
  if (!isPlainHex(args.loadBase)) {
    warnings.push(
      `LOAD-BASE ${args.loadBase} is no plain hexadecimal number; it counts as 0x${loadBase(args.loadBase).toString(16)}`,
    );
  }
  if (args.finalExec !== undefined && variant?.arguments !== 4) {
    warnings.push('FINAL-EXEC is ignored: only the tools of older releases take it (--list-compat)');
  } else if (args.finalExec !== undefined && !isPlainHex(args.finalExec)) {
    warnings.push(
      `FINAL-EXEC ${args.finalExec} is no plain hexadecimal number; it counts as 0x${hexAsC(args.finalExec).toString(16)}`,
    );
  }
  return warnings;
}
