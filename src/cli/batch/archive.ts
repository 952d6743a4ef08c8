/**
 * Kernels and Xen images in an archive, taken out one at a time into a folder of our own under names of our own: no name in
 * an archive decides where anything is written, and links in it lead nowhere. What has no mark of an image is not written.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FileSource } from '../../base/bytes/file-source.js';
import { BufferSource } from '../../base/bytes/source.js';
import { fail, PatchError } from '../../base/errors/patch-error.js';
import { programOutput } from '../../base/platform/program-output.js';
import { cpioMembers } from '../../formats/archive/cpio.js';
import { ByteStream, type Member } from '../../formats/archive/stream.js';
import { tarMembers } from '../../formats/archive/tar.js';
import { UNPACKED_LIMIT } from '../../formats/container/limits.js';
import { undoAtEnd } from '../../write/cleanup.js';
import { attempt } from '../../write/system.js';
import { couldBeImage, isModuleName } from './is-image.js';

/** What was found in an archive. */
export type Found =
  | { readonly kind: 'image'; readonly name: string; readonly path: string; remove(): void }
  | { readonly kind: 'passed-over' }
  /** A member that cannot be looked at, or the archive from here on. */
  | { readonly kind: 'error'; readonly name: string; readonly error: PatchError };

/** Smaller than any header of what is sought. */
const LEAST = 64n;
/** As much of a member as shows what it is. */
const HEAD = 0x100000n;
const CHUNK = 0x100000n;

/** How an archive is read, by what it begins with. */
interface Kind {
  readonly format: string;
  readonly magic: readonly number[];
  /** Gets the archive's path as its last argument, or where `stdin` is set its bytes. */
  readonly program: readonly [program: string, ...args: string[]];
  readonly stdin: boolean;
  readonly members: (stream: ByteStream) => AsyncGenerator<Member>;
}

const packed = (format: string, magic: readonly number[], program: Kind['program']): Kind => ({
  format,
  magic,
  program,
  stdin: true,
  members: tarMembers,
});

const KINDS: readonly Kind[] = [
  {
    format: 'deb',
    magic: [...new TextEncoder().encode('!<arch>\ndebian-binary')],
    program: ['dpkg-deb', '--fsys-tarfile'],
    stdin: false,
    members: tarMembers,
  },
  { format: 'rpm', magic: [0xed, 0xab, 0xee, 0xdb], program: ['rpm2cpio'], stdin: false, members: cpioMembers },
  packed('gzip', [0x1f, 0x8b], ['gzip', '-dc']),
  packed('bzip2', [0x42, 0x5a, 0x68], ['bzip2', '-dc']),
  packed('xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], ['xz', '-dc', '--memlimit-decompress=320MiB']),
  packed('zstd', [0x28, 0xb5, 0x2f, 0xfd], ['zstd', '-dcq']),
  packed('lz4', [0x04, 0x22, 0x4d, 0x18], ['lz4', '-dcq']),
  packed('lzo', [0x89, 0x4c, 0x5a, 0x4f], ['lzop', '-dc']),
  packed('lzma', [0x5d, 0, 0], ['xz', '-dc', '--format=lzma', '--memlimit-decompress=320MiB']),
];
const MAGIC_SIZE = 32n;

/** Everything in an archive; a member above `wished` bytes, or a gigabyte, is an error of its own. No error leaves it. */
export async function* imagesIn(path: string, wished = UNPACKED_LIMIT): AsyncGenerator<Found> {
  const limit = wished < UNPACKED_LIMIT ? wished : UNPACKED_LIMIT;
  let out: OwnFolder | undefined;
  let source: FileSource | undefined;
  let count = 0;
  try {
    source = FileSource.open(path);
    for await (const member of membersOf(source, path)) {
      const name = `${path}:${member.name.replace(/^(?:\.?\/)+/, '')}`;
      const head = isModuleName(member.name) || member.size < LEAST ? undefined : await headOf(member);
      if (head === undefined || !(await couldBeImage(new BufferSource(head, name)))) {
        yield { kind: 'passed-over' };
        continue;
      }
      if (member.size > limit) {
        yield { kind: 'error', name, error: PatchError.of('container.limit', { file: name }, { limit }) };
        continue;
      }
      out ??= ownFolder();
      const file = join(out.path, String(count++));
      await writeMember(file, head, member);
      yield { kind: 'image', name, path: file, remove: out.hold(file) };
    }
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    yield { kind: 'error', name: path, error };
  } finally {
    source?.close();
    out?.leave();
  }
}

function membersOf(source: FileSource, path: string): AsyncGenerator<Member> {
  const start = source.read(0n, source.size < MAGIC_SIZE ? source.size : MAGIC_SIZE, 'magic');
  if (start.length === 0) fail('archive.bad', { file: path }, { why: 'it is empty' });
  const kind = KINDS.find(({ magic }) => magic.every((byte, i) => start[i] === byte));
  if (kind === undefined) return tarMembers(new ByteStream(path, contentOf(source)));
  const [program, ...args] = kind.program;
  const { format } = kind;
  // From its beginning, as nothing was read from the descriptor itself. A path that begins with `-` is no option.
  const given = kind.stdin ? { args, stdin: source.fd } : { args: [...args, resolve(path)] };
  return kind.members(new ByteStream(path, programOutput({ program, file: path, format, ...given })));
}

async function* contentOf(source: FileSource): AsyncGenerator<Uint8Array> {
  for (let at = 0n; at < source.size; at += CHUNK) {
    const rest = source.size - at;
    yield source.read(at, rest < CHUNK ? rest : CHUNK, 'archive');
  }
}

async function headOf(member: Member): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of member.some(HEAD)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

/** Where files are while they are looked at. */
interface OwnFolder {
  readonly path: string;
  /** Somebody looks at a file in it; gives what is to be called when that is over. */
  hold(file: string): () => void;
  /** Nothing more comes: it goes with the last file. */
  leave(): void;
}

function ownFolder(): OwnFolder {
  const path = attempt(tmpdir(), 'make a folder for what is taken out of an archive', () =>
    mkdtempSync(join(tmpdir(), 'xen-elfpatch-')),
  );
  const gone = () => rmSync(path, { recursive: true, force: true });
  const forget = undoAtEnd(gone);
  let users = 1;
  const leave = () => {
    if (--users > 0) return;
    gone();
    forget();
  };
  return {
    path,
    leave,
    hold(file) {
      users++;
      return () => {
        rmSync(file, { force: true });
        leave();
      };
    },
  };
}

async function writeMember(file: string, head: Uint8Array, member: Member): Promise<void> {
  const action = 'take it out of the archive';
  const fd = attempt(file, action, () => openSync(file, 'wx', 0o600));
  const write = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length; ) {
      done += attempt(file, action, () => writeSync(fd, bytes, done, bytes.length - done));
    }
  };
  try {
    write(head);
    for await (const piece of member.some(member.size)) write(piece);
  } finally {
    closeSync(fd);
  }
}
