/**
 * Several images in one run: each is worked on by itself, so that a bad one stops no other, and the worst of them makes the
 * exit status. What is waiting for its turn in the report is bounded, whatever the number of images.
 */
import { availableParallelism } from 'node:os';
import { fail } from '../../base/errors/patch-error.js';
import type { BatchCounts } from '../../report/batch-report.js';
import { styleOf } from '../../report/text.js';
import { BATCH_OPTIONS } from '../batch-options.js';
import type { Command, ExitStatus } from '../command.js';
import { printError } from '../errors.js';
import { ciFormatOf } from '../format-option.js';
import { writesImages } from '../image-lock.js';
import { argsOf, type RawOptions } from '../option-table.js';
import { COLOR_MODES, errColors, isTerminal, sayErr, wantsColor } from '../output.js';
import { startProgress } from '../progress.js';
import { usageError } from '../usage-error.js';
import { workerEntry } from '../worker-word.js';
import { namesFrom } from './files0.js';
import { type Entries, entriesOf } from './images.js';
import type { Ran } from './one.js';
import { type Hand, ownHand, threadHand } from './pool.js';
import { untilSignal } from './signals.js';
import { type Item, itemsOf } from './tasks.js';
import {
  ciTeller,
  type Done,
  jsonTeller,
  linesTeller,
  notesTeller,
  type Out,
  outFor,
  type Teller,
  textTeller,
} from './tellers.js';

/** Results that may wait for one before them. */
const AHEAD = 256;
/** From here on threads are worth their start. */
const MANY = 8;
const LARGE = 0x1000000;

/** Runs a command on all images that a line names. Errors: `usage.bad`, those of the list of images. */
export async function runBatch(command: Command, options: RawOptions, words: readonly string[]): Promise<ExitStatus> {
  const { shape } = command;
  const { recursive, files0From, jobs = availableParallelism() } = argsOf(shape.name, BATCH_OPTIONS, options);
  checkBatch(command, options, words, files0From);
  const named = files0From === undefined ? words : [...words, ...namesFrom(files0From)];
  if (files0From === '-' && named.includes('-')) refuseBoth(shape.name);
  const list = entriesOf(named, { recursive, looksThrough: shape.batch?.looksThrough === true });
  if (named.includes('-') && isTerminal(0)) {
    const hint = 'Redirect an image into it: xen-elfpatch notes - < vmlinux';
    fail('usage.bad', {}, { what: 'standard input is a terminal, wanted an image', hint });
  }
  const writes = writesImages(options);
  const out = outFor(writes);
  const teller = tellerFor(shape.name, options, out);
  const hands = handsFor(command, optionsOfOne(options), jobs, list);
  const items = itemsOf(shape.name, list.entries, options);
  const { worst, counts } = await untilSignal(writes && hands.length > 1, (stopped) =>
    work({ doing: options['quiet'] === true ? undefined : shape.name, items, hands, teller, list, stopped }),
  );
  const exit = worst(named.length > 0 && counts.good + counts.no + counts.failed === 0 ? noImage() : 0);
  teller.end(exit, counts);
  const problem = out.problem();
  if (problem === undefined) return exit;
  printError(problem);
  return worseOf(exit, problem.exit);
}

/** 3 is not worse than an image that could not be done, and worse than the answer no, which nobody got. */
const ORDER: readonly ExitStatus[] = [0, 1, 3, 2];

function worseOf(a: ExitStatus, b: ExitStatus): ExitStatus {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}

/** Where something was named, nothing is not what was meant. */
function noImage(): ExitStatus {
  sayErr('xen-elfpatch: no image was found in what was named');
  return 1;
}

/** Errors: `usage.bad`. */
function checkBatch(command: Command, options: RawOptions, words: readonly string[], list: string | undefined): void {
  const { name, batch } = command.shape;
  for (const [option, values] of Object.entries(batch?.notFor ?? {})) {
    const given = options[option];
    if (given === undefined || given === false) continue;
    const value = String(given);
    if (values === 'any') usageError(name, `--${option} takes one IMAGE, and several are named`);
    if (values.includes(value)) usageError(name, `--${option} ${value} takes one IMAGE, and several are named`);
  }
  if (ciFormatOf(String(options['format'])) !== undefined && options['json-lines'] === true) {
    usageError(name, `--json-lines and --format ${String(options['format'])} cannot be given together`);
  }
  if (list === '-' && words.includes('-')) refuseBoth(name);
  if (words.includes('-') && options['in-place'] === true) command.check(options, ['-']);
  command.check(optionsOfOne(options), batch?.images === 2 ? ['A', 'B'] : ['IMAGE']);
}

function refuseBoth(name: string): never {
  return usageError(name, '- is an image and the list of images, and standard input can be read once');
}

/** What each image is worked on with. */
function optionsOfOne(options: RawOptions): RawOptions {
  const own = new Set([...Object.keys(BATCH_OPTIONS), 'json-lines', 'baseline-dir', 'color', 'json']);
  const rest = Object.entries(options).filter(([name]) => !own.has(name));
  const isText = !asksForJson(options) && ciFormatOf(String(options['format'])) === undefined;
  const color = isText && wantsColor(COLOR_MODES.find((mode) => mode === options['color']) ?? 'auto');
  const json = asksForJson(options) ? { json: true } : {};
  return { ...Object.fromEntries(rest), ...json, color: color ? 'always' : 'never' };
}

function asksForJson(options: RawOptions): boolean {
  return options['json'] === true || options['json-lines'] === true;
}

function tellerFor(name: string, options: RawOptions, out: Out): Teller {
  const format = ciFormatOf(String(options['format']));
  if (format !== undefined) return ciTeller(format, name, out);
  if (options['json-lines'] === true) return linesTeller(name, out);
  if (options['json'] === true) return name === 'notes' ? notesTeller(out) : jsonTeller(name, out);
  const color = wantsColor(COLOR_MODES.find((mode) => mode === options['color']) ?? 'auto');
  return textTeller(styleOf(color), options['quiet'] === true, out);
}

function handsFor(command: Command, options: RawOptions, jobs: number, { entries }: Entries): readonly Hand[] {
  const entry = workerEntry();
  const size = entries.reduce((sum, each) => sum + each.size, 0);
  const count = entries.some(({ kind }) => kind === 'archive') ? jobs : Math.min(jobs, entries.length);
  const worth = count > 1 && (entries.length >= MANY || size >= LARGE);
  if (entry === undefined || !worth) return [ownHand(command, options)];
  const start = { command: command.shape.name, options, colorErr: errColors() };
  return Array.from({ length: count }, () => threadHand(entry, start));
}

interface Work {
  /** What progress is called; undefined: none is shown. */
  readonly doing: string | undefined;
  readonly items: AsyncGenerator<Item>;
  readonly hands: readonly Hand[];
  readonly teller: Teller;
  readonly list: Entries;
  /** Has somebody asked to stop? Images that are being worked on are finished. */
  readonly stopped: () => boolean;
}

interface Outcome {
  readonly counts: BatchCounts;
  worst(other: ExitStatus): ExitStatus;
}

/** Each hand takes the next item when it is done with one. */
async function work({ doing, items, hands, teller, list, stopped }: Work): Promise<Outcome> {
  const counts = { good: 0, no: 0, failed: 0, passedOver: list.passedOver, duplicates: list.duplicates };
  let worst: ExitStatus = 0;
  const progress = doing === undefined ? undefined : startProgress(doing);
  const tell = (done: Done) => {
    progress?.end();
    if (done.ran.passedOver) counts.passedOver++;
    else {
      const { exit } = done.ran;
      counts[exit === 0 ? 'good' : exit === 1 ? 'no' : 'failed']++;
      worst = worseOf(worst, exit);
      // A reader that goes away ends the process with what is known by then.
      process.exitCode = worst;
      teller.add(done);
    }
  };
  const line = queue(teller.inOrder, tell);
  let taken = 0;
  let over = 0;
  const hand = async ({ run }: Hand) => {
    while (!stopped()) {
      await line.room();
      const next = await items.next();
      if (next.done === true) return;
      const { value: item } = next;
      const turn = taken++;
      const ran: Ran = item.ran ?? (await run(item.task));
      item.after?.();
      line.put(turn, { name: item.task.name, shown: item.shown, ran });
      progress?.report(BigInt(++over), BigInt(Math.max(over, list.entries.length)));
    }
  };
  try {
    await Promise.all(hands.map(hand));
  } finally {
    progress?.end();
    await items.return(undefined);
    await Promise.all(hands.map((each) => each.end()));
  }
  return { counts, worst: (other) => worseOf(worst, other) };
}

/** What is done comes out in its turn, or at once. */
function queue(inOrder: boolean, tell: (done: Done) => void) {
  const waiting = new Map<number, Done>();
  let next = 0;
  let wake: (() => void)[] = [];
  return {
    /** Waits until what is waiting is little enough for one more. */
    async room(): Promise<void> {
      while (waiting.size >= AHEAD) await new Promise<void>((resolve) => wake.push(resolve));
    },
    put(turn: number, done: Done): void {
      if (!inOrder) {
        tell(done);
        return;
      }
      waiting.set(turn, done);
      for (let first = waiting.get(next); first !== undefined; first = waiting.get(next)) {
        waiting.delete(next++);
        tell(first);
      }
      const all = wake;
      wake = [];
      for (const each of all) each();
    },
  };
}
