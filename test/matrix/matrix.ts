/**
 * The matrix: loader and release × rule that refuses × class × wrapper, an image for each cell. What `verify` prints as a cure
 * is run as printed; `fix` has to find the same, byte for byte; where there is no cure both have to say why and what to do.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BufferSource, type ByteSource } from '../../src/base/bytes/source.js';
import type { Fix } from '../../src/formats/note/fix.js';
import { fixCommand } from '../../src/formats/note/fix-command.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { LOADER_ROWS } from '../../src/loaders/names.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';
import { newestVersion, releasesOf } from '../../src/loaders/versions.js';
import type { Wrapped } from '../../src/loaders/wrapped.js';
import { runHere, shellWords } from '../support/in-process.js';
import { type BentKernel, bentKernels } from './bent-kernels.js';

/** Every loader with every release whose rules are known, as `--for` takes them. */
export const TARGETS: readonly string[] = LOADER_ROWS.flatMap(({ name, product }) =>
  releasesOf(product).map(({ version }) => `${name}@${version}`),
);

/** An image that a rule of a loader refuses. */
export interface Cell {
  readonly target: string;
  readonly loader: string;
  readonly rule: string;
  readonly bits: 32 | 64;
  readonly image: BentKernel;
}

/** What all releases of all loaders make of the images, judged once. */
export interface Survey {
  readonly cells: readonly Cell[];
  /**
   * The targets of which no later one says the same of every image: what two releases do not tell apart is tried once, by
   * the newer.
   */
  readonly distinct: readonly string[];
}

/** Judges every bare image by every release. */
export function survey(): Survey {
  const said = new Map<string, string[]>();
  const hear = ({ loader, version, outcome, rule, message, cure, warnings }: Verdict) => {
    const edits = [cure, ...warnings.map((warning) => warning.cure)];
    const line = [outcome, rule, message, ...edits.map((edit) => spelled(edit, loader))].join(' ');
    const target = `${loader}@${version}`;
    const lines = said.get(target);
    if (lines === undefined) said.set(target, [line]);
    else lines.push(line);
  };
  const cells = cellsOf(TARGETS, bentKernels().map(bare), hear);
  const newestFor = new Map(
    TARGETS.map((target) => [`${target.split('@')[0]} ${said.get(target)?.join('\n')}`, target]),
  );
  return { cells, distinct: [...newestFor.values()] };
}

function spelled(fix: Fix | undefined, loader: string): string {
  return fix === undefined ? '' : fixCommand(fix, { file: 'k', loaders: [loader] });
}

/** The newest release of each loader. */
export const NEWEST: readonly string[] = LOADER_ROWS.map(({ name, product }) => `${name}@${newestVersion(product)}`);

/** An image as it is judged: in its wrapper, if it has one. */
export interface Judged {
  readonly image: BentKernel;
  readonly source: ByteSource;
  readonly wrapped?: Wrapped | undefined;
}

/** A bare image. */
export function bare(image: BentKernel): Judged {
  return { image, source: new BufferSource(image.bytes, image.name) };
}

/**
 * For each rule that ends the load of an image: one image of each class for every edit that the rule names, and one for none.
 */
export function cellsOf(
  targets: readonly string[],
  images: Iterable<Judged> = bentKernels().map(bare),
  hear: (verdict: Verdict) => void = () => undefined,
): Cell[] {
  const cells = new Map<string, Cell>();
  for (const { image, source, wrapped } of images) {
    for (const verdict of judgeLoaders(source, { names: targets, wrapped })) {
      hear(verdict);
      const { loader, version, rule = '', cure } = verdict;
      if (accepts(verdict) || verdict.outcome === 'undecided') continue;
      const target = `${loader}@${version}`;
      const key = `${target} ${rule} ${image.bits} ${spelled(cure, loader)}`;
      if (!cells.has(key)) cells.set(key, { target, loader, rule, bits: image.bits, image });
    }
  }
  return [...cells.values()];
}

/** Every rule of every release of every loader, as `loader rule`. */
export function allRules(): string[] {
  const empty = new BufferSource(new Uint8Array(0), 'empty');
  const verdicts = judgeLoaders(empty, { names: TARGETS });
  return [...new Set(verdicts.flatMap(({ loader, rules }) => rules.map(({ name }) => `${loader} ${name}`)))];
}

/** What came of one image and one loader; nothing broken: every promise was kept. */
export interface Kept {
  readonly cure: string | undefined;
  readonly broken: readonly string[];
}

interface VerifyDocument {
  readonly loaders: readonly {
    readonly accepts: boolean;
    readonly message?: string;
    readonly rule?: string;
    readonly cure?: string;
    readonly advice?: string;
  }[];
}

interface FixDocument {
  readonly cured: boolean;
  readonly steps: readonly { readonly reason: string }[];
  readonly diagnoses: readonly { readonly advice: string | null }[];
}

/** A word that a person would have to replace before a line runs. */
const TEMPLATE = /\b(IMAGE|OUT|FILE|KERNEL|XEN\.EFI|NAME|ADDRESS)\b|=(\s|$|')|<[a-z]+>|\.\.\.|…/;

/** Beside the image, where the line puts it. */
function outputOf(line: string, path: string): string {
  return `${path}.${line.startsWith('xen-elfpatch linearize ') ? 'mb' : 'xen'}`;
}

/** What a line did. */
interface Made {
  readonly output: string;
  readonly status: number;
  readonly stderr: string;
  /** Undefined: it wrote nothing. */
  readonly bytes: Buffer | undefined;
}

/** Runs the promises of cells over files in one folder. */
export class Promises {
  readonly #folder: string;
  readonly #ran = new Map<string, Made>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * One line of each shape that was printed as a cure, its words without names of files and numbers, with what it wrote.
   */
  get shapes(): readonly { readonly line: string; readonly output: string; readonly bytes: Uint8Array }[] {
    const known = new Map<string, { line: string; output: string; bytes: Uint8Array }>();
    for (const [line, { output, bytes }] of this.#ran) {
      if (bytes === undefined) continue;
      const [words = []] = shellWords([line]);
      const shape = words
        .map((word) => (word.startsWith('/') ? 'file' : word.replace(/0x[0-9a-f]+|@[0-9.]+/g, '')))
        .join(' ');
      if (!known.has(shape)) known.set(shape, { line, output, bytes });
    }
    return [...known.values()];
  }

  /** What is broken of cells whose images go by `prefix`, a line each. */
  async broken(
    cells: readonly Cell[],
    prefix: string,
    options: { signed?: boolean; advised?: boolean } = {},
  ): Promise<string[]> {
    const all: string[] = [];
    for (const { image, target, rule } of cells) {
      const path = this.put(`${prefix} ${image.name.replaceAll('/', ' ')}`, image.bytes);
      const { broken } = await this.check(path, target, options);
      all.push(...broken.map((what) => `${target} [${rule}] ${image.name}: ${what.replaceAll(this.#folder, '')}`));
    }
    return all;
  }

  /** The file that stands for an image, under a name that a shell would take apart. */
  put(name: string, bytes: Uint8Array): string {
    const path = join(this.#folder, `my kernel's ${name}`);
    if (!existsSync(path)) writeFileSync(path, bytes);
    return path;
  }

  /** What is broken of what is printed about a file and a loader. */
  async check(path: string, target: string, { signed = false, advised = false } = {}): Promise<Kept> {
    const verified = await runHere(['verify', path, '--for', target, '--json']);
    const [verdict] = (JSON.parse(verified.stdout) as Partial<VerifyDocument>).loaders ?? [];
    if (verdict === undefined) {
      // No kernel at all: both refuse to read it, in the same words.
      const fixed = await runHere(['fix', path, '--for', target, '--json']);
      const same = fixed.status === 2 && verified.status === 2 && fixed.stderr === verified.stderr;
      const told = verified.stderr.includes('hint: ');
      return { cure: undefined, broken: same && told ? [] : [`verify says: ${verified.stderr}; fix: ${fixed.stderr}`] };
    }
    if (verdict.accepts) return { cure: undefined, broken: [] };
    const { cure, advice } = verdict;
    return cure === undefined
      ? { cure, broken: await this.#withoutCure(path, target, advice, advised) }
      : { cure, broken: await this.#withCure(path, target, cure, signed ? advice : undefined) };
  }

  async #withoutCure(path: string, target: string, advice: string | undefined, advised: boolean): Promise<string[]> {
    const broken: string[] = [];
    if (advice === undefined) return ['neither a cure nor advice'];
    for (const [line] of advice.matchAll(/xen-elfpatch (patch|fix|linearize) .*/g)) {
      if (TEMPLATE.test(line)) broken.push(`a template: ${line}`);
      if (!advised) continue;
      // What only its builder can say is said by a command that works, too.
      const { status, stderr } = await this.#run(line, path);
      if (status !== 0) broken.push(`${line}: exit ${status}, ${stderr}`);
    }
    const fixed = await runHere(['fix', path, '--for', target, '--json']);
    if (fixed.status === 2) {
      const words = (text: string) => text.replaceAll(/\s+/g, ' ');
      if (!/no edit of notes fixes it/.test(advice)) broken.push(`fix says: ${words(fixed.stderr)}; verify: ${advice}`);
      return broken;
    }
    const { cured, diagnoses } = JSON.parse(fixed.stdout) as FixDocument;
    if (cured) broken.push('fix has a cure, verify has none');
    if (diagnoses[0]?.advice !== advice) broken.push(`fix advises: ${diagnoses[0]?.advice}; verify: ${advice}`);
    return broken;
  }

  async #withCure(path: string, target: string, cure: string, signed: string | undefined): Promise<string[]> {
    if (TEMPLATE.test(cure.replaceAll(path, 'path').replaceAll(path.replaceAll("'", "'\\''"), 'path'))) {
      return [`a template: ${cure}`];
    }
    const broken: string[] = [];
    const ran = await this.#run(cure, path);
    if (ran.status !== 0 || ran.bytes === undefined) return [`${cure}: exit ${ran.status}, ${ran.stderr}`];
    const output = outputOf(cure, path);
    writeFileSync(output, ran.bytes);
    const after = await runHere(['verify', output, '--for', target, '--json']);
    const [verdict] = (JSON.parse(after.stdout) as Partial<VerifyDocument>).loaders ?? [];
    if (verdict?.accepts !== true) broken.push(`after ${cure}: ${verdict?.message ?? after.stderr}`);
    const strips = cure.includes(' --strip-signature');
    if (signed !== undefined && strips && !/sign .* again/.test(signed)) broken.push(`not said: sign again (${cure})`);
    // PE images are laid out by a command of their own.
    if (cure.startsWith('xen-elfpatch linearize ')) return broken;
    // What fix writes by itself is what the line wrote.
    const fixed = `${path}.fixed`;
    rmSync(fixed, { force: true });
    const strip = strips ? ['--strip-signature'] : [];
    const { status, stderr } = await runHere(['fix', path, '--for', target, ...strip, '-o', fixed]);
    if (status !== 0) broken.push(`fix: exit ${status}, ${stderr}`);
    else if (!readFileSync(fixed).equals(ran.bytes)) broken.push(`fix writes other bytes than ${cure}`);
    return broken;
  }

  async #run(line: string, path: string) {
    const known = this.#ran.get(line);
    if (known !== undefined) return known;
    const output = outputOf(line, path);
    rmSync(output, { force: true });
    const [[, ...words] = []] = shellWords([line]);
    const { status, stderr } = await runHere(words);
    const ran = { output, status, stderr, bytes: existsSync(output) ? readFileSync(output) : undefined };
    this.#ran.set(line, ran);
    return ran;
  }
}
