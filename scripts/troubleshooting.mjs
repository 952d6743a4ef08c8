// docs/troubleshooting.md from the messages that `explain` knows. Without --write: exit 1 when the page is not up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const PAGE = 'docs/troubleshooting.md';
const bundle = await build({
  stdin: { contents: "export { MESSAGES } from './src/explain/messages/message-pages.ts';", resolveDir: '.' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
});
const [{ text }] = bundle.outputFiles;
const { MESSAGES } = await import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);

const wrap = (words) => {
  const lines = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 120) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
};

const programs = [...new Set(MESSAGES.map(({ by }) => by))];
const page = `# Troubleshooting by message

What a loader printed, what is behind it, what to do. \`xen-elfpatch explain "any piece of the message"\` finds the same;
\`xen-elfpatch fix IMAGE --for LOADER\` looks for the edit.

${programs
  .map(
    (program) =>
      `- [${program}](#${program
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-')})`,
  )
  .join('\n')}

${programs
  .map(
    (program) =>
      `## ${program}\n\n${MESSAGES.filter(({ by }) => by === program)
        .map(({ says, cause, cure, commands }) => {
          const run = commands.length === 0 ? '' : `\n\`\`\`\n${commands.join('\n')}\n\`\`\`\n`;
          return `### ${says.map((words) => `\`${words}\``).join(' or ')}\n\n${wrap(cause)}\n\n${wrap(cure)}\n${run}`;
        })
        .join('\n')}`,
  )
  .join('\n')}`;

if (process.argv.includes('--write')) writeFileSync(PAGE, page);
else if (readFileSync(PAGE, 'utf8') !== page) {
  console.error(`${PAGE} is not what the messages say; run: node scripts/troubleshooting.mjs --write`);
  process.exitCode = 1;
}
