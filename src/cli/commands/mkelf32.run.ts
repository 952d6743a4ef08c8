/** `mkelf32`: from the words to a container, and from the container to a file. */
import { statSync } from 'node:fs';
import { FileSource } from '../../bytes/file-source.js';
import { readElf } from '../../elf/read.js';
import { fail } from '../../errors/patch-error.js';
import type { Verdict } from '../../loaders/rule.js';
import type { Container } from '../../mkelf32/container.js';
import { planOriginal } from '../../mkelf32/mkelf32.js';
import { multibootWarnings } from '../../mkelf32/multiboot.js';
import { hexAsC, isPlainHex, loadBase } from '../../mkelf32/numbers.js';
import { type Variant, variantOf } from '../../mkelf32/variants.js';
import { writeMkelf32, writeParts } from '../../mkelf32/write.js';
import { parseSetting } from '../../note/value.js';
import { jsonDocument } from '../../report/json.js';
import {
  type Mkelf32Facts,
  mkelf32Json,
  mkelf32Text,
  variantsJson,
  variantsText,
} from '../../report/mkelf32-report.js';
import type { ExitStatus } from '../command.js';
import { type OpenInput, openInput } from '../input.js';
import { writeErr, writeOut } from '../output.js';
import type { Mkelf32Args, Mkelf32Work } from './mkelf32.js';

/** Runs the command. Exit 0: written. Every refusal is an error, exit 2. */
export async function runMkelf32(args: Mkelf32Args): Promise<ExitStatus> {
  if (args.kind === 'list') {
    writeOut(args.json ? jsonDocument('mkelf32-variants', variantsJson()) : variantsText());
    return 0;
  }
  const variant = args.tidy ? undefined : variantOf(args.compat ?? 'newest');
  const warnings = numberWarnings(args, variant);
  const input = openInput(args.input);
  try {
    const container = await plan(args, variant, input);
    warnings.push(...container.warnings, ...multibootWarnings(input.source, container));
    for (const warning of warnings) writeErr(`xen-elfpatch: warning: ${input.source.name}: ${warning}\n`);
    if (args.output === '-') await writeParts(1, input.source, container.parts);
    else {
      const check = args.tidy ? await structureCheck(args.output) : undefined;
      await writeMkelf32(input.source, container, { input: input.path, output: args.output, check });
    }
    report(args, {
      input: input.source.name,
      output: args.output,
      as: variant,
      container,
      warnings,
      verdicts: await verdictsOn(args.output),
    });
    return 0;
  } finally {
    input.close();
  }
}

async function plan(args: Mkelf32Work, variant: Variant | undefined, { source }: OpenInput): Promise<Container> {
  const base = loadBase(args.loadBase);
  const finalExec = args.finalExec === undefined ? undefined : hexAsC(args.finalExec);
  if (variant !== undefined) return planOriginal(source, { notes: args.notes, loadBase: base, finalExec, variant });
  const { planTidy } = await import('../../mkelf32/tidy.js');
  return planTidy(readElf(source), {
    loadBase: base,
    notes: args.notes,
    settings: args.note.map(parseSetting),
    keepSections: args.keep.includes('sections'),
    keepSymbols: args.keep.includes('symbols'),
  });
}

/** What the original writes is as it is; what we write by our own rules has to obey those of the format. */
async function structureCheck(output: string): Promise<(path: string) => void> {
  const { verifyImage } = await import('../../verify/verify.js');
  return (path) => {
    const source = FileSource.open(path, output);
    try {
      const [first, ...others] = verifyImage({ image: readElf(source) }).filter(({ level }) => level === 'error');
      if (first === undefined) return;
      fail('verify.failed', first.place, { check: first.check, text: first.text, more: others.length });
    } finally {
      source.close();
    }
  };
}

/** The written file in the eyes of each loader; undefined when there is none to be read again. */
async function verdictsOn(output: string): Promise<readonly Verdict[] | undefined> {
  if (output === '-' || statSync(output, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
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

function report(args: Mkelf32Work, facts: Mkelf32Facts): void {
  if (args.json) writeOut(jsonDocument('mkelf32', mkelf32Json(facts)));
  else if (args.output !== '-') writeOut(mkelf32Text(facts));
}
