/**
 * The command in this process: thousands of runs would take minutes as processes. A test file that uses it mocks
 * src/cli/output.js by captured() of captured-output.ts.
 */
import { spawnSync } from 'node:child_process';
import { COMMANDS } from '../../src/cli/commands.js';
import { reportFailure } from '../../src/cli/errors.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { takeOutput } from './captured-output.js';

/** How a run ended. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run, as main.ts makes it. */
export async function runHere(args: readonly string[]): Promise<Ran> {
  takeOutput();
  let status: number;
  try {
    const parsed = parseCommandLine(args, COMMANDS);
    status = parsed.kind === 'text' ? 0 : await parsed.command.run(parsed.options, parsed.words);
  } catch (error) {
    status = await reportFailure(error, args[0], args.includes('--json') ? 'json' : undefined);
    // It is the test's own process that goes on.
    process.exitCode = undefined;
  }
  return { status, ...takeOutput() };
}

/** The words that a shell makes of lines, each the words of one command. */
export function shellWords(lines: readonly string[]): string[][] {
  if (lines.length === 0) return [];
  const script = lines.map((line) => `printf '%s\\0' ${line}; printf '\\1\\0'`).join('\n');
  const { stdout } = spawnSync('sh', [], { input: script, encoding: 'utf8', maxBuffer: 1 << 28 });
  const all: string[][] = [];
  let words: string[] = [];
  for (const word of stdout.split('\0').slice(0, -1)) {
    if (word === '\x01') {
      all.push(words);
      words = [];
    } else words.push(word);
  }
  return all;
}
