/** The command: reads its line, runs what it names, turns failures into messages and exit statuses. */
import '../base/platform/node.js';
import { namedCommand } from './command-name.js';
import { COMMANDS } from './commands.js';
import { reportFailure } from './errors.js';
import { refuseLostBytes } from './lost-bytes.js';
import { writeErr, writeOut } from './output.js';
import { quickParse } from './quick-parse.js';

async function main(args: readonly string[]): Promise<void> {
  try {
    if (args.length === 0) {
      writeErr((await import('./parse.js')).overviewText(COMMANDS));
      process.exitCode = 2;
      return;
    }
    refuseLostBytes(args);
    const parsed = quickParse(args, COMMANDS) ?? (await import('./parse.js')).parseCommandLine(args, COMMANDS);
    if (parsed.kind === 'text') {
      writeOut(parsed.text);
      return;
    }
    process.exitCode = await parsed.command.run(parsed.options, parsed.words);
  } catch (error) {
    // Even where the line itself cannot be read, who asked for JSON gets JSON.
    process.exitCode = reportFailure(error, namedCommand(args, COMMANDS), asksForJson(args));
  }
}

function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

// Not awaited: the bundle is CommonJS, which starts faster. Every failure is caught inside. Everything is written by then, and
// Node need not take its heap apart before the process ends.
void main(process.argv.slice(2)).finally(() => process.exit());
