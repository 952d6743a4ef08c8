/**
 * A container to a file: front to back through one buffer, so that memory does not depend on the image. It takes its place
 * as every result does (write/deliver.ts), but as Xen's own tool has it: refusals in its words, a new file with its mode, and
 * a device or a pipe is written through. `xen-mkelf32`, the drop-in, prints nothing else, and says nothing of other names.
 */

import { accessSync, closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import type { FileSource } from '../../base/bytes/file-source.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { fail, PatchError } from '../../base/errors/patch-error.js';
import { deliver } from '../../write/deliver.js';
import { type Container, type Part, partSize } from './container.js';
import { systemWords } from './errno.js';

const CHUNK = 0x100000;
/** rwxrwxr-x, less what the umask takes: the original's. */
const NEW_MODE = 0o775;

/** Where the 32-bit ELF is made from and where it goes. */
export interface Paths {
  /** Where the input can be looked at again. */
  readonly input: string;
  readonly output: string;
  /** Nothing is written where the way of writing would mean something for others (`write.warned`). */
  readonly strict?: boolean | undefined;
  /** Judges the finished file before it takes the name of the output; throws to refuse. */
  readonly check?: ((result: ByteSource) => void) | undefined;
}

/**
 * Writes the output; what that means for others. An existing file keeps its permission bits, and its owner where that is
 * allowed. Errors: `mkelf32.same-file`, `mkelf32.open-output`, `mkelf32.write-output`, `read.changed`, those of the check;
 * the output is as it was.
 */
export async function writeMkelf32(
  source: FileSource,
  container: Container,
  { input, output, strict, check }: Paths,
): Promise<readonly string[]> {
  let begun = false;
  try {
    refuseAsOpenDoes(output);
    const { warnings } = await deliver({
      source,
      inputPath: input,
      output,
      changes: true,
      strict,
      content: {
        kind: 'streamed',
        mode: NEW_MODE,
        async write(fd) {
          begun = true;
          await writeParts(fd, source, container.parts);
        },
      },
      prove: check && (async (result) => check(result)),
    });
    return warnings;
  } catch (error) {
    return refuse(error, output, begun);
  }
}

/** The original opens what is there; a rename asks the folder only. Errors: those of the system. */
function refuseAsOpenDoes(output: string): void {
  const existing = statSync(output, { throwIfNoEntry: false });
  if (existing?.isFile() === true) accessSync(output, constants.W_OK);
  else if (existing?.isDirectory() === true || existing?.isSocket() === true) closeSync(openSync(output, 'w'));
}

/** A refusal in the words of the original, where it has any. */
function refuse(error: unknown, file: string, begun: boolean): never {
  const id = error instanceof PatchError ? error.id : undefined;
  if (id === 'write.same-file') fail('mkelf32.same-file', {}, { file }, error);
  const words = systemWords(id === 'write.failed' && error instanceof Error ? error.cause : error);
  if (words === undefined) throw error;
  return begun
    ? fail('mkelf32.write-output', {}, words, error)
    : fail('mkelf32.open-output', {}, { file, ...words }, error);
}

/** Writes the parts to an open file, one behind the other. Errors: `mkelf32.write-output`, those of reading. */
export async function writeParts(fd: number, source: ByteSource, parts: readonly Part[]): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (const part of parts) {
    if (part.kind === 'bytes') writeAll(fd, part.bytes);
    else if (part.kind === 'made') for (const bytes of part.chunks()) writeAll(fd, bytes);
    else await writeLong(fd, source, part, buffer);
  }
}

async function writeLong(
  fd: number,
  source: ByteSource,
  part: Exclude<Part, { kind: 'bytes' | 'made' }>,
  buffer: Uint8Array,
): Promise<void> {
  const size = partSize(part);
  if (part.kind === 'zeros') buffer.fill(0);
  for (let done = 0n; done < size; ) {
    const rest = size - done;
    const piece = rest < BigInt(CHUNK) ? buffer.subarray(0, Number(rest)) : buffer;
    if (part.kind === 'copy') source.readInto(part.from + done, piece, part.what);
    writeAll(fd, piece);
    done += BigInt(piece.length);
    // Lets signals be handled; a small image is done in a few pieces.
    if (done < size) await new Promise((resolve) => setImmediate(resolve));
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += writing(() => writeSync(fd, bytes, done, bytes.length - done));
  }
}

function writing<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const words = systemWords(error);
    if (words === undefined) throw error;
    return fail('mkelf32.write-output', {}, words, error);
  }
}
