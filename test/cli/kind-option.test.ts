import { describe, expect, it } from 'vitest';
import { command } from '../../src/cli/command.js';
import { fixShape } from '../../src/cli/commands/fix.js';
import { patchShape } from '../../src/cli/commands/patch.js';
import { stampShape } from '../../src/cli/commands/stamp.js';
import { parseCommandLine } from '../../src/cli/parse.js';

const given: { readonly kind?: unknown }[] = [];
const keep = async (args: { readonly kind?: unknown }) => {
  given.push(args);
  return 0 as const;
};
const COMMANDS = [command(patchShape, keep), command(stampShape, keep), command(fixShape, keep)];

/** What the work is given as the kind of the image. */
async function kindOf(line: readonly string[]): Promise<unknown> {
  const parsed = parseCommandLine(line, COMMANDS);
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  await parsed.command.run(parsed.options, parsed.words);
  return given.pop()?.kind;
}

describe.each(['patch', 'stamp', 'fix'])('%s --kind', (name) => {
  it('is what the image is said to be; undefined: as its own signs tell', async () => {
    expect(await kindOf([name, 'k', '--dry-run', '--kind', 'program', ...edit(name)])).toBe('program');
    expect(await kindOf([name, 'k', '--dry-run', '--kind=kernel', ...edit(name)])).toBe('kernel');
    expect(await kindOf([name, 'k', '--dry-run', ...edit(name)])).toBeUndefined();
  });

  it('takes no other word, and none twice', async () => {
    await expect(kindOf([name, 'k', '--kind', 'module'])).rejects.toThrow(
      '--kind is module, wanted one of kernel, program',
    );
    await expect(kindOf([name, 'k', '--kind=kernel', '--kind=kernel'])).rejects.toThrow('--kind given 2 times');
  });
});

function edit(name: string): string[] {
  return name === 'stamp' ? ['--date', 'built'] : [];
}
