/** What is done with one input: everything that reads it. Nothing but a PatchError may come out. */
import { BufferSource } from '../../src/base/bytes/source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { planPatch } from '../../src/edit/elf/pipeline.js';
import { preview } from '../../src/edit/elf/render.js';
import { cpioMembers } from '../../src/formats/archive/cpio.js';
import { ByteStream, type Member } from '../../src/formats/archive/stream.js';
import { tarMembers } from '../../src/formats/archive/tar.js';
import { openContainer } from '../../src/formats/container/open.js';
import { bzip2StreamEnd, xzStreamEnd } from '../../src/formats/container/stream-end.js';
import { readElf } from '../../src/formats/elf/read.js';
import { parseSpec } from '../../src/formats/note/spec-file.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { readPe } from '../../src/formats/pe/read.js';
import { diffImages } from '../../src/inspect/diff/diff.js';
import { imageMap } from '../../src/inspect/map/image-map.js';
import { peMap } from '../../src/inspect/map/pe-map.js';
import { notesFacts } from '../../src/inspect/notes/notes-facts.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { verifyImage } from '../../src/verify/elf/verify.js';
import { verifyPe } from '../../src/verify/pe/verify.js';
import type { Kind } from './mutate.js';

/** How an input came out: read by all, or refused by some. */
export type Outcome = 'read' | 'refused';

/** 16 MiB are enough for what a mutated kernel of 20 KB unpacks to. */
const UNPACKED = 0x1000000n;
const EDITS = [{ kind: 'set', setting: parseSetting('GUEST_OS=fuzzed') }] as const;

function attempt(run: () => unknown): Outcome {
  try {
    run();
    return 'read';
  } catch (error) {
    if (error instanceof PatchError) return 'refused';
    throw error;
  }
}

function worst(outcomes: readonly Outcome[]): Outcome {
  return outcomes.includes('refused') ? 'refused' : 'read';
}

function elfOutcome(bytes: Uint8Array): Outcome {
  const source = new BufferSource(bytes, 'fuzzed');
  const image = () => readElf(source);
  return worst([
    attempt(() => judgeLoaders(source)),
    attempt(() => notesFacts(image())),
    attempt(() => verifyImage({ image: image() })),
    attempt(() => imageMap(image())),
    attempt(() => diffImages(image(), image())),
    attempt(() => {
      const plan = planPatch(image(), EDITS);
      const result = readElf(preview(plan.image, plan.rendered));
      const wanted = notesFacts(result).notes.some(({ record }) => Buffer.from(record.desc).includes('fuzzed'));
      if (!wanted) throw new Error('a plan was made, and its result does not have the note');
    }),
  ]);
}

function peOutcome(bytes: Uint8Array): Outcome {
  const source = new BufferSource(bytes, 'fuzzed');
  return worst([
    attempt(() => readPe(source)),
    attempt(() => verifyPe(readPe(source))),
    attempt(() => peMap(readPe(source))),
  ]);
}

async function containerOutcome(bytes: Uint8Array): Promise<Outcome> {
  for (const end of [xzStreamEnd(bytes), bzip2StreamEnd(bytes)]) {
    if (!(end >= 0 && end <= bytes.length)) throw new Error(`a stream ends at ${end} of ${bytes.length}`);
  }
  try {
    const { elf } = await openContainer(new BufferSource(bytes, 'fuzzed'), { limit: UNPACKED });
    return elfOutcome(elf.read(0n, elf.size, 'unpacked'));
  } catch (error) {
    if (error instanceof PatchError) return 'refused';
    throw error;
  }
}

async function archiveOutcome(bytes: Uint8Array): Promise<Outcome> {
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  };
  const list = async (members: (stream: ByteStream) => AsyncGenerator<Member>) => {
    let taken = 0;
    for await (const member of members(new ByteStream('fuzzed', pieces()))) {
      for await (const part of member.some(member.size)) taken += part.length;
    }
    if (taken > bytes.length) throw new Error(`${taken} bytes came out of ${bytes.length}`);
  };
  try {
    await list(bytes[0] === 0x30 ? cpioMembers : tarMembers);
    return 'read';
  } catch (error) {
    if (error instanceof PatchError) return 'refused';
    throw error;
  }
}

/** Runs everything on an input. Errors: whatever is no PatchError, which is a fault. */
export async function outcomeOf(kind: Kind, bytes: Uint8Array): Promise<Outcome> {
  if (kind === 'pe') return peOutcome(bytes);
  if (kind === 'archive') return archiveOutcome(bytes);
  return kind === 'bzImage' || kind === 'codec' ? containerOutcome(bytes) : elfOutcome(bytes);
}

/** The same for the text of a notes file. */
export function specOutcome(text: string): Outcome {
  return attempt(() => parseSpec(text));
}
