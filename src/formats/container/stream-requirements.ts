/**
 * What a stream asks of those who unpack it, where readers differ (xen/common/unxz.c and unzstd.c, Xen's
 * tools/libs/guest/xg_dom_bzimageloader.c, Linux lib/decompress_unxz.c).
 */
import type { Demand } from './facts.js';
import type { PayloadFormat } from './formats.js';
import { zstdFrame } from './zstd.js';

const MIB = 1n << 20n;

const XZ_OPTIONS = 'Input was encoded with settings that are not supported by this XZ decoder';

/** Properties of a packed stream that some reader refuses. `spare`: bytes between the stream and the size word. */
export function demandsOf(format: PayloadFormat, stream: Uint8Array, spare: number): Demand[] {
  return [
    ...(format === 'xz' ? xzDemands(stream) : []),
    ...(format === 'zstd' ? zstdDemands(stream) : []),
    ...formatDemands(format),
    ...spareDemands(format, stream, spare),
  ];
}

/** What a format asks for, however it was packed. */
export function formatDemands(format: PayloadFormat): Demand[] {
  if (format !== 'bzip2' && format !== 'lzo') return [];
  const says = `${format.toUpperCase()} decompress support unavailable`;
  return [demand('toolstack', `${format} is not built into common toolstacks`, says)];
}

function demand(reader: Demand['reader'], what: string, says?: string, takenSince?: string): Demand {
  return { reader, takenSince, what, says };
}

/** Most decoders stop at the end of the stream; these look at what follows it. */
function spareDemands(format: PayloadFormat, stream: Uint8Array, spare: number): Demand[] {
  if (spare === 0) return [];
  const what = `${spare} bytes between the stream and the size word`;
  if (format === 'zstd') return [demand('toolstack', what, 'Src size is incorrect')];
  if (format !== 'lz4') return [];
  const zeros = stream.subarray(stream.length - spare).every((byte) => byte === 0);
  const refused = demand('hypervisor', what, 'Decoding failed');
  return zeros && spare % 4 === 0 ? [refused] : [refused, demand('toolstack', what)];
}

const NONE = 0;
const CRC32 = 1;
const X86_FILTER = 0x04;
const LZMA2_FILTER = 0x21;

/** The xz file format, "Stream Header" and "Block Header". */
function xzDemands(stream: Uint8Array): Demand[] {
  const demands: Demand[] = [];
  const check = (stream[7] ?? 0) & 15;
  if (check !== NONE && check !== CRC32) {
    const what = `xz integrity check ${check === 4 ? 'CRC64' : check === 10 ? 'SHA-256' : check}, wanted CRC32 or none`;
    demands.push(demand('hypervisor', what, XZ_OPTIONS), demand('linux', what, XZ_OPTIONS));
  }
  const flags = stream[13] ?? 0;
  let at = 14;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = stream[at++] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return value;
  };
  if ((flags & 0x40) !== 0) number();
  if ((flags & 0x80) !== 0) number();
  for (let left = (flags & 3) + 1; left > 0; left--) {
    const id = number();
    const size = number();
    const property = stream[at] ?? 0;
    at += size;
    if (id === LZMA2_FILTER) {
      const bytes = property >= 40 ? 4096n * MIB : BigInt(2 | (property & 1)) << BigInt((property >> 1) + 11);
      if (bytes > 64n * MIB) {
        const what = `xz dictionary of ${bytes / MIB} MiB, wanted at most 64`;
        demands.push(demand('toolstack', what, 'Memory usage limit reached', '4.20'));
      }
    } else if (id !== X86_FILTER) {
      const what = `xz filter 0x${id.toString(16)}, wanted x86 or none`;
      demands.push(demand('hypervisor', what, XZ_OPTIONS), demand('linux', what, XZ_OPTIONS));
    }
  }
  return demands;
}

function zstdDemands(stream: Uint8Array): Demand[] {
  const frame = zstdFrame(stream);
  if (typeof frame === 'string' || frame.window <= 128n * MIB) return [];
  const what = `zstd window of ${frame.window / MIB} MiB, wanted at most 128`;
  const says = 'ZSTD-compressed data is probably corrupt';
  return [demand('hypervisor', what, says), demand('linux', what, says)];
}
