/** `notes --format readnotes` against the real readnotes (Debian xen-utils-4.17), byte for byte, exit status included. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { formatReadnotes } from '../../src/loaders/read/readnotes.js';
import { brokenTables, isElfBinary, libelfImage } from '../../src/loaders/xen/libelf-image.js';
import { runCli } from '../support/cli.js';
import { corpusFiles, fixture, foreignTool, realImages } from '../support/images.js';
import { generateImages } from './generate.js';
import { ImageFolder, inParallel } from './programs.js';
import { wildImages } from './wild.js';

const COUNT = 1000;
/** Of the foreign files, every so many: each costs a process. */
const STEP = 5;
const SEED = 41702;
/** What ends our own: 16 MiB. */
const OUTPUT_LIMIT = 0x1000000;

const folder = new ImageFolder();
afterAll(() => folder.remove());

interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number | null;
}

/** The real one. One character a byte. */
function theirs(path: string): Promise<Output | 'endless'> {
  return new Promise((resolve, reject) => {
    const child = spawn(foreignTool('readnotes'), [path], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      stdout += text;
      // A number can be printed as wide as 2 GiB.
      if (stdout.length > OUTPUT_LIMIT) child.kill();
    });
    child.stderr.setEncoding('latin1').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (exit) => resolve(stdout.length > OUTPUT_LIMIT ? 'endless' : { stdout, stderr, exit }));
  });
}

function ours(path: string): Output {
  const source = FileSource.open(path);
  try {
    if (!isElfBinary(source)) return { stdout: '', stderr: `File ${path} is not an ELF image\n`, exit: 1 };
    const image = libelfImage(source);
    return formatReadnotes(image, brokenTables(image));
  } finally {
    source.close();
  }
}

async function compare(paths: readonly string[]): Promise<number> {
  const different: object[] = [];
  let printed = 0;
  await inParallel(paths, async (path) => {
    const heard = await theirs(path);
    if (heard === 'endless') {
      expect(() => ours(path)).toThrow('note.too-large');
      return;
    }
    const said = ours(path);
    if (heard.stdout !== '') printed++;
    if (JSON.stringify(said) !== JSON.stringify(heard)) different.push({ path, ours: said, readnotes: heard });
  });
  expect(different.slice(0, 5), `${different.length} differ`).toEqual([]);
  return printed;
}

describe('readnotes 4.17', () => {
  it.each([
    { what: 'generated', make: generateImages },
    { what: 'wild', make: wildImages },
  ])(`prints the same for ${COUNT} $what images`, async ({ what, make }) => {
    const images = make(COUNT, SEED).filter(({ length }) => length > 0);
    const printed = await compare(images.map((bytes, index) => folder.write(`${what}-${index}`, bytes)));
    console.log(`readnotes, ${what}: ${images.length}, of them with output ${printed}`);
    expect(printed).toBeGreaterThan(COUNT / 3);
  });

  it('prints the same for every fixture, every real image and the foreign corpora', async () => {
    // It unpacks compressed files, which is another matter, and cannot map an empty one.
    const plain = (path: string) => {
      const source = FileSource.open(path);
      const start = source.read(0n, source.size < 2n ? source.size : 2n, 'magic');
      source.close();
      return start.length > 0 && !(start[0] === 0x1f && start[1] === 0x8b);
    };
    const paths = [
      ...readdirSync('fixtures/bin').map(fixture),
      ...realImages().map(({ path }) => path),
      ...corpusFiles().filter((_, i) => i % STEP === 0),
    ];
    const taken = paths.filter(plain);
    const printed = await compare(taken);
    console.log(`readnotes, real: ${taken.length}, of them with output ${printed}`);
    expect(printed).toBeGreaterThan(10);
  });

  it('and so does the command', async () => {
    for (const path of [fixture('pv64-notes'), fixture('pvh32-notes'), fixture('pv64-bare'), 'package.json']) {
      const { status, stdout, stderr } = runCli(['notes', '--format', 'readnotes', path]);
      expect({ exit: status, stdout, stderr }).toEqual(await theirs(path));
    }
  });
});
