/** The worker of the page: holds the one open file and answers questions about it, one after the other. */
import { installPorts } from '../../base/bytes/ports.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { fail, PatchError } from '../../base/errors/patch-error.js';
import { looksLikeElf } from '../../formats/elf/read.js';
import { readMemory } from '../../loaders/memory-size.js';
import { parseXenVersion } from '../../loaders/xen-version.js';
import {
  compared,
  type DocumentOptions,
  imageData,
  layoutText,
  notesText,
  releasesOf,
  verifyText,
} from '../work/documents.js';
import { type PlannedEdit, planEdit } from '../work/edits.js';
import { explained } from '../work/explain.js';
import { planFix } from '../work/fixes.js';
import { openWebImage, type WebImage } from '../work/open.js';
import type { Trouble } from '../work/page-data.js';
import { BlobSource } from './blob-source.js';
import type { Answer, EditAnswer, Reply, Request, Rules } from './protocol.js';
import { resultBlob } from './result-blob.js';

/** Symbols for the search; a page holds more than a file that carries them. */
const SYMBOLS = 200_000;

let open: { readonly blob: Blob; readonly image: WebImage } | undefined;
let queue: Promise<void> = Promise.resolve();

installPorts({
  pause: () => new Promise((resolve) => setTimeout(resolve)),
  loadSecondParser: async () => (await import('./second-parser.js')).secondParser,
});

self.onmessage = ({ data }: MessageEvent<Request>) => {
  queue = queue.then(() => answer(data));
};

function send(reply: Reply): void {
  self.postMessage(reply);
}

async function answer(request: Request): Promise<void> {
  const { id } = request;
  let last = 0;
  const progress = (step: string) => (done: bigint, total: bigint) => {
    const share = total === 0n ? 1 : Number((done * 100n) / total) / 100;
    if (share < 1 && share - last < 0.02 && share >= last) return;
    last = share;
    send({ id, kind: 'progress', step, done: share });
  };
  try {
    send({ id, kind: 'answer', value: await answerTo(request, progress) });
  } catch (error) {
    send({ id, kind: 'trouble', trouble: troubleOf(error) });
  }
}

type Steps = (step: string) => (done: bigint, total: bigint) => void;

async function answerTo(request: Request, progress: Steps): Promise<Answer> {
  switch (request.kind) {
    case 'open': {
      open = undefined;
      const image = await opened(new BlobSource(request.file, request.name), progress);
      open = { blob: request.file, image };
      return imageData(image, optionsOf(request.rules));
    }
    case 'judge':
      return imageData(current().image, optionsOf(request.rules));
    case 'releases':
      return releasesOf(current().image, request.loader, optionsOf(request.rules));
    case 'compare': {
      const second = await opened(new BlobSource(request.file, request.name), progress);
      return compared(current().image, second, optionsOf(request.rules));
    }
    case 'plan': {
      const edit = await planEdit(current().image, request.wish, progress);
      return result(edit, true, progress);
    }
    case 'fix': {
      const edit = await planFix(current().image, request.loaders, optionsOf(request.rules));
      return result(edit, edit.cured, progress);
    }
    case 'explain':
      return explained(request.name);
    case 'document': {
      const { image } = current();
      if (request.name === 'notes') return notesText(image);
      return request.name === 'layout' ? layoutText(image, false) : verifyText(image, optionsOf(request.rules));
    }
  }
}

/** What unpacks is loaded only for a file that wraps its kernel. */
async function opened(source: ByteSource, progress: Steps): Promise<WebImage> {
  if (!looksLikeElf(source)) (await import('./unpackers.js')).installUnpackers();
  return openWebImage(source, progress('unpacking'));
}

function current() {
  return open ?? fail('usage.bad', {}, { what: 'there is no image, wanted one to be dropped first' });
}

/** Errors: `usage.bad` for what is no size of memory. */
function optionsOf({ xenVersion: release, memory: size }: Rules): DocumentOptions {
  const xenVersion = parseXenVersion(release);
  return {
    symbols: SYMBOLS,
    memory: size === '' ? undefined : readMemory(size),
    ...(xenVersion === undefined ? {} : { xenVersion }),
  };
}

/** Makes the result, opens it as if it came from a stranger, and hands it out only when it proves right. */
async function result(edit: PlannedEdit, cured: boolean, progress: Steps): Promise<EditAnswer> {
  const { document, text, changed, law } = edit;
  const told = { document, text, changed, cured, law, blob: undefined, secondReader: undefined };
  if (edit.result === undefined || !changed) return told;
  const { blob, image } = current();
  const made = resultBlob(blob, image.file, edit.result);
  const agreed = await edit.prove(new BlobSource(made, `${image.file.name} (result)`), progress('comparing'));
  return { ...told, blob: made, secondReader: agreed?.verdict };
}

/** What the command says of a program to be installed is of no use here. */
const NO_PROGRAM =
  'A browser runs no programs: take the command xen-elfpatch, on a machine that has this one; it says the same and makes the same';

function troubleOf(error: unknown): Trouble {
  if (error instanceof PatchError) {
    const { id, detail: text, message, hint } = error;
    const said = id === 'codec.missing' ? NO_PROGRAM : hint;
    return { id, text, message, ...(said === undefined ? {} : { hint: said }) };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { id: 'internal.bug', text, message: text };
}
