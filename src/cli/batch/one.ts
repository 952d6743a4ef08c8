/** One image of a batch: the command runs on it as on a line of its own, and what it says is kept. */
import type { PatchError } from '../../base/errors/patch-error.js';
import type { Answer } from '../../report/ci/answers.js';
import { errorFacts } from '../../report/error-report.js';
import type { Command, ExitStatus } from '../command.js';
import { asPatchError, printError } from '../errors.js';
import { ciFormatOf } from '../format-option.js';
import { lockImage } from '../image-lock.js';
import { nameInput } from '../input.js';
import type { RawOptions } from '../option-table.js';
import { catchOutput, type Piece, takeCaught } from '../output.js';
import { type Told, takeTold, tell } from '../told.js';
import { isImage, type Sought } from './is-image.js';

/** What is done, on what. */
export interface Task {
  /** The words of the command line for it; the last one is the image. */
  readonly words: readonly string[];
  /** The image in messages and documents. */
  readonly name: string;
  readonly found: Sought | undefined;
}

/** How it came out. */
export interface Ran {
  readonly exit: ExitStatus;
  readonly pieces: readonly Piece[];
  readonly told: Told;
  /** It is no image, and nobody named it. */
  readonly passedOver: boolean;
}

/** What another process at work on the same file causes. It has done its part soon, and then there is nothing left to do. */
const BUSY: ReadonlySet<string | undefined> = new Set(['write.locked', 'read.changed']);
const ATTEMPTS = 100;
const PAUSE_MS = 50;
/** What a file that nobody named turns out to be when it is opened. */
const NO_IMAGE: ReadonlySet<string | undefined> = new Set(['read.not-elf', 'container.no-notes', 'bzimage.not-elf']);

/** Runs the command on an image. No error leaves it. */
export async function runTask(command: Command, options: RawOptions, task: Task): Promise<Ran> {
  const path = task.words.at(-1) ?? '';
  if (task.found !== undefined && !(await isImage(path, task.found))) return PASSED_OVER;
  if (task.name !== path) nameInput(path, task.name);
  for (let attempt = 1; ; attempt++) {
    const ran = await run(command, options, task);
    const id = ran.told.error?.id;
    if (task.found !== undefined && NO_IMAGE.has(id)) return PASSED_OVER;
    if (!BUSY.has(id) || attempt === ATTEMPTS) return ran;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** No image, and nobody said that it is one. */
export const PASSED_OVER: Ran = { exit: 0, pieces: [], told: {}, passedOver: true };

async function run(command: Command, options: RawOptions, { words, name }: Task): Promise<Ran> {
  takeTold();
  catchOutput();
  let exit: ExitStatus;
  let unlock: (() => void) | undefined;
  try {
    unlock = await lockImage(options, [name]);
    exit = await command.runOne(options, words);
  } catch (thrown) {
    const error = asPatchError(thrown);
    printError(error);
    exit = error.exit;
    await tellError(error, ciFormatOf(String(options['format'])) !== undefined);
  } finally {
    unlock?.();
  }
  const pieces = takeCaught();
  const told = takeTold();
  const answers: readonly Answer[] | undefined = told.answers?.map((answer) => ({ ...answer, file: name }));
  return { exit, pieces, told: answers === undefined ? told : { ...told, answers }, passedOver: false };
}

async function tellError(error: PatchError, asAnswer: boolean): Promise<void> {
  const answers = asAnswer ? { answers: [(await import('../../report/ci/ci-report.js')).errorAnswer(error)] } : {};
  tell({ error: { id: error.id, facts: errorFacts(error) }, ...answers });
}

/** What becomes of what cannot even be begun. */
export async function failed(error: PatchError, options: RawOptions): Promise<Ran> {
  takeTold();
  await tellError(error, ciFormatOf(String(options['format'])) !== undefined);
  const told = takeTold();
  // At once: others write meanwhile.
  catchOutput();
  printError(error);
  return { exit: error.exit, pieces: takeCaught(), told, passedOver: false };
}
