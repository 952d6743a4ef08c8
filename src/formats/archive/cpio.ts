/**
 * Regular files of a cpio stream in the formats that rpm2cpio prints (cpio(5), "New ASCII Format" and "New CRC Format"):
 * their names and contents. A file above 4 GiB has no size there, and no kernel is one.
 */
import { type ByteStream, type Member, memberOf } from './stream.js';

const HEADER = 110n;
const FIELD = 8;
/** Of the fields behind the magic number. */
const MODE = 1;
const FILESIZE = 6;
const NAMESIZE = 11;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const LAST = 'TRAILER!!!';

/** The regular files, one by one. Errors: `archive.bad`. */
export async function* cpioMembers(stream: ByteStream): AsyncGenerator<Member> {
  for (;;) {
    const header = new TextDecoder().decode(await stream.take(HEADER));
    if (!/^07070[12][0-9a-f]{104}$/i.test(header)) stream.refuse('a member has no header of the new cpio formats');
    const field = (index: number) => Number.parseInt(header.slice(6 + index * FIELD, 6 + (index + 1) * FIELD), 16);
    const nameSize = BigInt(field(NAMESIZE));
    const [name = ''] = new TextDecoder().decode(await stream.take(nameSize)).split('\0');
    if (name === LAST) return;
    await stream.skip(paddingOf(HEADER + nameSize));
    const { member, leave } = memberOf(stream, name, BigInt(field(FILESIZE)));
    if ((field(MODE) & S_IFMT) === S_IFREG) yield member;
    await leave();
    await stream.skip(paddingOf(member.size));
  }
}

function paddingOf(size: bigint): bigint {
  return (4n - (size % 4n)) % 4n;
}
