/**
 * Answers as JUnit's XML, in the subset that Jenkins, GitLab and the others agree on: a suite for each file, a case for each
 * rule, a failure where the answer is no.
 */
import { hex } from '../../base/errors/hex.js';
import { printable } from '../../base/printable.js';
import { type Answer, type Fault, isNo } from './answers.js';

/** The document. No time stands in it: the same answers are the same bytes. */
export function junitText(command: string, answers: readonly Answer[]): string {
  const files = [...new Set(answers.map(({ file }) => file))];
  const suites = files.map((file) =>
    suite(
      command,
      file,
      answers.filter((answer) => answer.file === file),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts(answers)}>\n${suites.join('')}</testsuites>\n`;
}

function counts(answers: readonly Answer[]): string {
  return `tests="${answers.length}" failures="${answers.filter(isNo).length}" errors="0"`;
}

function suite(command: string, file: string, answers: readonly Answer[]): string {
  const cases = answers.map((answer) => testCase(command, answer)).join('');
  return `  <testsuite name="${escaped(file)}" ${counts(answers)} skipped="0">\n${cases}  </testsuite>\n`;
}

function testCase(command: string, answer: Answer): string {
  const head = `    <testcase classname="xen-elfpatch.${escaped(command)}" name="${escaped(answer.rule)}"`;
  if (answer.faults.length === 0) return `${head}/>\n`;
  const failed = answer.faults.filter(({ level }) => level === 'error').map(wordsOf);
  const rest = answer.faults
    .filter(({ level }) => level !== 'error')
    .map((fault) => `${fault.level}: ${wordsOf(fault)}`);
  const failure =
    failed.length === 0
      ? ''
      : `      <failure message="${escaped(failed[0] ?? '')}" type="${escaped(answer.rule)}">${inLines([
          ...failed,
          answer.because,
        ])}</failure>\n`;
  const told = rest.length === 0 ? '' : `      <system-out>${inLines(rest)}</system-out>\n`;
  return `${head}>\n${failure}${told}    </testcase>\n`;
}

function wordsOf({ text, offset, part }: Fault): string {
  return [...(offset === undefined ? [] : [hex(offset)]), ...(part === undefined ? [] : [part]), text].join(': ');
}

/** Sentences as text, each on its line and none on two. */
function inLines(sentences: readonly string[]): string {
  return sentences.map(escaped).join('\n');
}

/** As text or as a value in quotes, on one line. Characters that XML cannot hold are escaped as everywhere in what we print. */
function escaped(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
