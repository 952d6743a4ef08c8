/**
 * `--record FILE` and `verify --check-record FILE`. What stood in the input is hashed before anything is written, as an edit
 * in place leaves none of it; the record follows the result, and a place where it cannot be is known while nothing is.
 */
import { FileSource } from '../base/bytes/file-source.js';
import { port } from '../base/bytes/ports.js';
import type { ByteSource } from '../base/bytes/source.js';
import { hexDigits } from '../base/bytes/text.js';
import { fail, PatchError } from '../base/errors/patch-error.js';
import { looksLikeElf } from '../formats/elf/read.js';
import { isPlainPe } from '../formats/pe/kind.js';
import { judgeLoaders } from '../loaders/loaders.js';
import type { Verdict } from '../loaders/rule.js';
import type { Json } from '../report/json.js';
import { type FileFacts, PREDICATE_TYPE, type RecordFormat, recordText, STATEMENT_TYPE } from '../report/record.js';
import { openImage } from './input.js';
import { stageBeside } from './text-file.js';

/** Where a record goes. */
export interface RecordArgs {
  readonly record: string | undefined;
  readonly recordFormat: RecordFormat | undefined;
  /** The other file that is written besides the result. */
  readonly depfile?: string | undefined;
}

/** What is recorded of the run itself. */
export interface RecordedRun {
  readonly command: string;
  /** The input as messages call it, and where its bytes can be read. */
  readonly file: string;
  readonly inputPath: string;
}

const DOING = 'write the record';
const CHUNK = 0x100000n;

/** Looks at the input; what is given back writes the record of `output`. Errors: those of stageBeside, reading the input. */
export async function startRecord(
  { record: path, recordFormat, depfile }: RecordArgs,
  { command, file, inputPath }: RecordedRun,
  output: string,
): Promise<((edits: { readonly [key: string]: Json }) => Promise<void>) | undefined> {
  if (path === undefined) return undefined;
  const beside = depfile === undefined ? [] : [depfile];
  const others = [file, output, ...beside].filter((name) => !name.startsWith('<'));
  // A trial, so that what makes it impossible is known in time.
  stageBeside('--record', path, '', DOING, others).discard();
  const input = await factsOf(file, inputPath);
  return async (edits) => {
    try {
      const facts = { command, arguments: process.argv.slice(2), input, output: await factsOf(output, output), edits };
      stageBeside('--record', path, recordText(facts, recordFormat ?? 'json'), DOING, others).keep();
    } catch (error) {
      const reason = error instanceof PatchError ? error.message : String(error);
      fail('write.not-told', {}, { output, reason }, error);
    }
  };
}

async function factsOf(name: string, path: string): Promise<FileFacts> {
  const source = FileSource.open(path);
  try {
    return { name, sha256: sha256Of(source), size: source.size, verdicts: await verdictsOn(path) };
  } finally {
    source.close();
  }
}

/** None for what no loader is asked about. */
async function verdictsOn(path: string): Promise<readonly Verdict[]> {
  const image = await openImage(path, (source) => looksLikeElf(source) || isPlainPe(source));
  try {
    return judgeLoaders(image.source, { wrapped: image.wrapped });
  } finally {
    image.close();
  }
}

function sha256Of(source: ByteSource): string {
  const hash = port('newHasher')('sha256');
  for (let at = 0n; at < source.size; at += CHUNK) {
    const rest = source.size - at;
    hash.update(source.read(at, rest < CHUNK ? rest : CHUNK, 'contents'));
  }
  return hexDigits(hash.digest());
}

/** What a record says of an image. */
export type RecordAnswer = 'output' | 'input' | 'other';

/**
 * Is the image the output of a record, or what it was made from? Either format is taken. Errors: those of opening the files,
 * `record.bad` for a record that does not tell.
 */
export function answerOf(recordPath: string, imagePath: string): RecordAnswer {
  const { input, output } = readRecord(recordPath);
  const source = FileSource.open(imagePath);
  try {
    const found = sha256Of(source);
    return found === output ? 'output' : found === input ? 'input' : 'other';
  } finally {
    source.close();
  }
}

const RECORD_LIMIT = 0x1000000n;

function readRecord(path: string): { readonly input: string; readonly output: string } {
  const source = FileSource.open(path);
  let text: string;
  try {
    if (source.size > RECORD_LIMIT)
      fail('record.bad', { file: path }, { what: `found ${source.size} bytes, wanted at most ${RECORD_LIMIT}` });
    text = new TextDecoder().decode(source.read(0n, source.size, 'record'));
  } finally {
    source.close();
  }
  const document = parsed(path, text);
  const isStatement = memberOf(document, '_type') === STATEMENT_TYPE;
  if (isStatement && memberOf(document, 'predicateType') !== PREDICATE_TYPE) {
    fail('record.bad', placeOf(path, text, 'predicateType'), {
      what: `found another predicate, wanted ${PREDICATE_TYPE}`,
    });
  }
  const record = isStatement ? memberOf(document, 'predicate') : document;
  if (memberOf(record, 'schema') !== 'xen-elfpatch/record/1') {
    fail('record.bad', placeOf(path, text, 'schema'), {
      what: 'found no record, wanted the schema xen-elfpatch/record/1',
    });
  }
  const digest = (member: 'input' | 'output') => {
    const found = memberOf(memberOf(record, member), 'sha256');
    if (typeof found === 'string' && /^[0-9a-f]{64}$/.test(found)) return found;
    return fail('record.bad', placeOf(path, text, member, `${member}.sha256`), {
      what: 'found no digest, wanted 64 hexadecimal digits',
    });
  };
  return { input: digest('input'), output: digest('output') };
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line = at === undefined ? text.split('\n').length : text.slice(0, Number(at)).split('\n').length;
    return fail('record.bad', { file: `${path}:${line}` }, { what: 'found no JSON, wanted one document' });
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The line of a member, or the first where it is missing. */
function placeOf(path: string, text: string, member: string, part = member) {
  const at = text.indexOf(`"${member}"`);
  return { file: `${path}:${at < 0 ? 1 : text.slice(0, at).split('\n').length}`, part };
}
