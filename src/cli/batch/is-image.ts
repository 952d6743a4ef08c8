/**
 * Is a file that nobody named, but a folder or an archive holds, an image? It is told by its beginning, so that what is none
 * costs little. What has the mark of an image and is damaged is one: its error is to be seen.
 */
import { FileSource } from '../../base/bytes/file-source.js';
import { BufferSource, type ByteSource } from '../../base/bytes/source.js';
import { analyze } from '../../edit/elf/plan/analyze.js';
import { imageKind } from '../../edit/elf/plan/image-kind.js';
import { beginning } from '../../formats/container/beginning.js';
import type { PayloadFormat } from '../../formats/container/formats.js';
import { recognise } from '../../formats/container/recognise.js';
import { EI_DATA, ELFDATA2MSB, ET_CORE, ET_REL } from '../../formats/elf/names.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { isPlainPe } from '../../formats/pe/kind.js';

/** `image`: anything that is linked or wraps such a thing. `kernel`: no programs and libraries. */
export type Sought = 'image' | 'kernel';

/** As much of packed data as shows what it begins with: the largest block of zstd and lz4, packed badly, and more. */
const HEAD = 0x100000n;
/** Where e_type stands, behind e_ident (gABI, "ELF Header"). */
const E_TYPE = 16n;

/** A module of a kernel, by its name: thousands of them lie where kernels do. */
export function isModuleName(name: string): boolean {
  return /\.ko(?:\.(?:gz|xz|zst))?$/.test(name);
}

/** Looks at a file. What cannot be opened counts as an image, and opening it once more tells why. */
export async function isImage(path: string, sought: Sought): Promise<boolean> {
  if (isModuleName(path)) return false;
  let source: FileSource;
  try {
    source = FileSource.open(path);
  } catch {
    return true;
  }
  try {
    return (await couldBeImage(source)) && (sought === 'image' || !isProgram(source));
  } finally {
    source.close();
  }
}

/** Has it the marks of an image? Its beginning is enough. */
export async function couldBeImage(source: ByteSource): Promise<boolean> {
  const found = recognise(source);
  switch (found.kind) {
    case 'elf':
      return isLinked(source);
    case 'bzimage':
      return true;
    case 'gzip':
      return beginsAsElf(source, 'gzip');
    case 'stream':
      return beginsAsElf(source, found.format);
    case 'other':
      return isPlainPe(source);
    case 'unknown':
      return false;
  }
}

async function beginsAsElf(source: ByteSource, format: PayloadFormat): Promise<boolean> {
  const head = source.read(0n, source.size < HEAD ? source.size : HEAD, 'beginning');
  const start = await beginning(format, head);
  if (start === undefined) return false;
  const inside = new BufferSource(start, source.name);
  return looksLikeElf(inside) && isLinked(inside);
}

/** Neither an object file, as modules of a kernel are, nor a dump. */
function isLinked(source: ByteSource): boolean {
  if (source.size < E_TYPE + 2n) return true;
  const [a = 0, b = 0] = source.read(E_TYPE, 2n, 'e_type');
  const type = source.read(BigInt(EI_DATA), 1n, 'e_ident')[0] === ELFDATA2MSB ? a * 256 + b : b * 256 + a;
  return type !== ET_REL && type !== ET_CORE;
}

function isProgram(source: ByteSource): boolean {
  if (!looksLikeElf(source)) return false;
  try {
    return imageKind(analyze(readElf(source))).kind === 'program';
  } catch {
    return false;
  }
}
