/**
 * Streams and archives around bytes, as simple as their formats allow: what is fuzzed are our readers, and packing well would
 * cost more than reading. lz4: doc/lz4_Block_format.md, literals alone. zstd: RFC 8878, raw blocks. tar and cpio: POSIX.1.
 */

/** A file in an archive. */
export interface Packed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function words(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) out.writeUInt32LE(value, 4 * i);
  return out;
}

/** lz4's legacy format: one chunk of one sequence without a match. */
export function lz4Of(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length - 15;
  const length = rest < 0 ? [] : [...Array.from({ length: Math.floor(rest / 255) }, () => 255), rest % 255];
  const token = Math.min(bytes.length, 15) << 4;
  const block = Buffer.concat([Uint8Array.of(token, ...length), bytes]);
  return Buffer.concat([words(0x184c2102, block.length), block]);
}

/** A zstd frame that says its size, in blocks of 64 KiB as they are. */
export function zstdOf(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [words(0xfd2fb528), Uint8Array.of(0xa0), words(bytes.length)];
  const size = 0x10000;
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    const header = (piece.length << 3) | (at + size >= bytes.length ? 1 : 0);
    parts.push(words(header).subarray(0, 3), piece);
  }
  return Buffer.concat(parts);
}

/** A ustar archive. */
export function tarOf(files: readonly Packed[]): Uint8Array {
  const members = files.flatMap(({ name, bytes }) => {
    const header = Buffer.alloc(512);
    header.write(name.slice(0, 100), 0, 'latin1');
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    header.write('        0', 148, 'latin1');
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return [header, bytes, Buffer.alloc(-bytes.length & 511)];
  });
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

/** A cpio archive in the new ASCII format. */
export function cpioOf(files: readonly Packed[]): Uint8Array {
  const member = (name: string, bytes: Uint8Array, mode: number) => {
    const fields = [0, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length + 1, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
    return [Buffer.from(head, 'latin1'), Buffer.alloc(-head.length & 3), bytes, Buffer.alloc(-bytes.length & 3)];
  };
  const all = files.flatMap(({ name, bytes }) => member(name, bytes, 0o100644));
  return Buffer.concat([...all, ...member('TRAILER!!!', new Uint8Array(0), 0)]);
}
