/** The formats in which CI systems take answers. */
import type { Answer } from './answers.js';
import type { CiFormat } from './ci-formats.js';
import { githubText } from './github.js';
import { junitText } from './junit.js';
import { sarifText } from './sarif.js';

export { errorAnswer, peVerifyAnswers, verifyAnswers } from './answers.js';

const WRITERS: Readonly<Record<CiFormat, (command: string, answers: readonly Answer[]) => string>> = {
  github: githubText,
  sarif: sarifText,
  junit: junitText,
};

/** The answers of a command in a format: one document, for github a line for each fault. */
export function ciReport(format: CiFormat, command: string, answers: readonly Answer[]): string {
  return WRITERS[format](command, answers);
}
