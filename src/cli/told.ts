/**
 * What a run of a command tells a batch besides what it prints: a word for the table, verdicts, answers for CI, an error.
 * Where there is no batch nobody asks for it.
 */
import type { Answer } from '../report/ci/answers.js';
import type { CiFormat } from '../report/ci/ci-formats.js';
import type { Json } from '../report/json.js';
import { isCaught, writeOut } from './output.js';

/** What a loader does with an image, in the words of verify. */
export interface LoaderWord {
  readonly loader: string;
  readonly word: string;
}

/** What is told of one image. */
export interface Told {
  /** How it came out, for the table: `sound`, `written`. */
  readonly word?: string;
  readonly verdicts?: readonly LoaderWord[];
  readonly answers?: readonly Answer[];
  readonly error?: { readonly id: string; readonly facts: { readonly [key: string]: Json } };
}

let told: Told = {};

/** Adds to what is told of the image at hand. */
export function tell(more: Told): void {
  told = { ...told, ...more };
}

/** What was told since this was asked last. */
export function takeTold(): Told {
  const taken = told;
  told = {};
  return taken;
}

/** Answers for a CI system: written, or left to the batch, whose document has those of all images. */
export async function writeAnswers(format: CiFormat, command: string, answers: readonly Answer[]): Promise<void> {
  if (isCaught()) return tell({ answers });
  const { ciReport } = await import('../report/ci/ci-report.js');
  writeOut(ciReport(format, command, answers));
}
