/** `--format`, of commands that answer yes or no: text for people, or what a CI system reads. */
import { CI_FORMATS, type CiFormat } from '../report/ci/ci-formats.js';
import type { OptionTable } from './option-table.js';
import { usageError } from './usage-error.js';

/** With `more` formats in front of those for CI; `what` says what they are. */
export function formatOption<const More extends readonly string[]>(more: More, what: string) {
  return {
    format: {
      kind: 'choice',
      choices: ['text', ...more, ...CI_FORMATS],
      help: `text, ${what}github (annotations of a workflow), sarif or junit`,
    },
  } as const satisfies OptionTable;
}

/** The format for CI, where one was chosen. */
export function ciFormatOf(format: string | undefined): CiFormat | undefined {
  return CI_FORMATS.find((known) => known === format);
}

/** Two formats at once. Errors: `usage.bad`. */
export function checkFormat(command: string, format: CiFormat | undefined, json: boolean): void {
  if (format !== undefined && json) usageError(command, `--json and --format ${format} cannot be given together`);
}
