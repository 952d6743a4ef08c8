/** A file as the pages see it: an ELF, a PE image, or the ELF inside a container; opened as the command opens it. */
import type { ByteSource } from '../../base/bytes/source.js';
import type { ContainerFacts } from '../../formats/container/facts.js';
import { type OpenedContainer, openContainer, wholeOf } from '../../formats/container/open.js';
import { looksLikeElf } from '../../formats/elf/read.js';
import { isPlainPe } from '../../formats/pe/kind.js';
import type { Wrapped } from '../../loaders/wrapped.js';

/** An open file. */
export interface WebImage {
  /** The file as it stands. */
  readonly file: ByteSource;
  /** The image in it: the file itself, or what was unpacked. */
  readonly source: ByteSource;
  readonly isPe: boolean;
  /** What it was unpacked from; undefined: nothing was. */
  readonly opened: OpenedContainer | undefined;
  readonly facts: ContainerFacts | undefined;
  readonly wrapped: Wrapped | undefined;
}

/** Opens a file; at most `limit` bytes are unpacked. Errors: those of openContainer. */
export async function openWebImage(
  file: ByteSource,
  onProgress?: (done: bigint, total: bigint) => void,
  limit?: bigint,
): Promise<WebImage> {
  const isPe = !looksLikeElf(file) && isPlainPe(file);
  const bare = { file, source: file, isPe, opened: undefined, facts: undefined, wrapped: undefined };
  if (isPe || looksLikeElf(file)) return bare;
  const opened = await openContainer(file, { onProgress, limit });
  if (opened.kind === 'elf') return bare;
  const wrapped = { facts: opened.facts, outer: file };
  return { file, source: wholeOf(opened), isPe, opened, facts: opened.facts, wrapped };
}
