/** Answers as workflow commands of GitHub Actions: annotations of a run, a line each. */
import { hex } from '../../base/errors/hex.js';
import { printable } from '../../base/printable.js';
import type { Answer, Fault } from './answers.js';

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** A line for each fault; none where nothing is wrong. `command` is what was run, for the titles. */
export function githubText(command: string, answers: readonly Answer[]): string {
  return answers.flatMap((answer) => answer.faults.map((fault) => annotation(command, answer, fault))).join('');
}

function annotation(command: string, { file, rule }: Answer, { level, text, offset, part }: Fault): string {
  const properties = [
    ...(file === '' ? [] : [`file=${property(file)}`]),
    `title=${property(`xen-elfpatch ${command}: ${rule}`)}`,
  ];
  const where = [...(offset === undefined ? [] : [hex(offset)]), ...(part === undefined ? [] : [part])];
  const message = [...where, text].join(': ');
  return `::${COMMANDS[level]} ${properties.join(',')}::${data(message)}\n`;
}

/** A name may hold what ends a property or a line; the runner unescapes it. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function data(text: string): string {
  return printable(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
