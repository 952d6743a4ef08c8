/**
 * A bzImage read by its setup header (Linux Documentation/arch/x86/boot.rst, "Details of Header Fields"), as Xen's own
 * readers do, but with every offset held against the file.
 */
import { type Range, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { latin1 } from '../../base/bytes/text.js';
import { hexBytes } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { type Encoding, struct, type ValueOf } from '../elf/struct.js';
import { LINUX_MAGIC_AT } from '../linux/boot-header.js';
import { type EfiStub, readEfiStub } from './efi-stub.js';
import { formatOf, likelyName, MAGIC_SIZE, type PayloadFormat } from './formats.js';
import { UNPACKED_LIMIT, wordAt } from './limits.js';

/** The setup header is little-endian on every machine; its `native` fields are 8 bytes. */
const LITTLE: Encoding = { bits: 64, endian: 'little' };

/** Where the setup header starts in the file. */
export const SETUP_HEADER = 0x1f1n;

/** The setup header; later boot protocols append fields, so an old file ends its header before the last ones. */
export const SetupHeader = struct('setup_header', {
  setup_sects: 'byte',
  root_flags: 'half',
  syssize: 'word',
  ram_size: 'half',
  vid_mode: 'half',
  root_dev: 'half',
  boot_flag: 'half',
  /** A short jump over the header: its opcode, and the distance from 0x202 on that tells where the header ends. */
  jump_opcode: 'byte',
  jump_length: 'byte',
  header: 'word',
  version: 'half',
  realmode_swtch: 'word',
  start_sys_seg: 'half',
  kernel_version: 'half',
  type_of_loader: 'byte',
  loadflags: 'byte',
  setup_move_size: 'half',
  code32_start: 'word',
  ramdisk_image: 'word',
  ramdisk_size: 'word',
  bootsect_kludge: 'word',
  heap_end_ptr: 'half',
  ext_loader_ver: 'byte',
  ext_loader_type: 'byte',
  cmd_line_ptr: 'word',
  initrd_addr_max: 'word',
  kernel_alignment: 'word',
  relocatable_kernel: 'byte',
  min_alignment: 'byte',
  xloadflags: 'half',
  cmdline_size: 'word',
  hardware_subarch: 'word',
  hardware_subarch_data: 'native',
  payload_offset: 'word',
  payload_length: 'word',
  setup_data: 'native',
  pref_address: 'native',
  init_size: 'word',
});
export type SetupHeader = ValueOf<typeof SetupHeader>;

/** File offset of a field of the setup header. */
export function setupField(field: keyof SetupHeader): bigint {
  return SETUP_HEADER + BigInt(SetupHeader.offsetOf(field, LITTLE));
}

const PAYLOAD_FIELDS_END = 0x250;
const INIT_SIZE_END = 0x264;
const PAYLOAD_PROTOCOL = 0x208;
const INIT_SIZE_PROTOCOL = 0x20a;

/** A read Linux boot image. Offsets and sizes in bytes of the file. */
export interface BzImage {
  readonly source: ByteSource;
  readonly header: SetupHeader;
  /** Bytes of the boot sector and the setup code: where the protected-mode part begins. */
  readonly setupSize: bigint;
  /** End of the protected-mode part, by its size in the header. */
  readonly sysEnd: bigint;
  /** File range that the header names as the payload, size word included. */
  readonly payload: Range;
  readonly format: PayloadFormat;
  /** What the payload shall unpack to. */
  readonly unpackedSize: number;
  /** Does the payload stand behind the kernel instead of in it? */
  readonly attached: boolean;
  /** Is init_size there? Since protocol 2.10. */
  readonly hasInitSize: boolean;
  readonly pe: EfiStub | undefined;
}

/** The version of the boot protocol as kernels' documentation writes it, `2.15`. */
export function protocolText({ version }: SetupHeader): string {
  return `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`;
}

/** File range of the compressed stream: the payload without its size word. gzip ends with its own size. */
export function streamRange({ payload, format }: Pick<BzImage, 'payload' | 'format'>): Range {
  return hasSizeWord(format) ? { start: payload.start, end: payload.end - 4n } : payload;
}

/** Does the build append the unpacked size to a payload of this format (Linux, scripts/Makefile.lib, size_append)? */
export function hasSizeWord(format: PayloadFormat): boolean {
  return format !== 'gzip' && format !== 'stored';
}

/**
 * Reads the headers of a file that was recognised as a bzImage. Unpacks nothing.
 * Errors: `bzimage.protocol`, `.header`, `.no-payload`, `.bounds`, `.compression`, `.size`.
 */
export function readBzImage(source: ByteSource): BzImage {
  const file = source.name;
  const part = 'setup header';
  const size = BigInt(SetupHeader.size(LITTLE));
  if (!fits(SETUP_HEADER, size, source.size)) {
    fail('bzimage.header', { file, offset: SETUP_HEADER, part }, { what: 'the file ends inside the setup header' });
  }
  const header = SetupHeader.decode(source.read(SETUP_HEADER, size, part), 0, LITTLE);
  if (header.version < PAYLOAD_PROTOCOL) {
    const place = { file, offset: setupField('version'), part };
    fail('bzimage.protocol', place, { version: protocolText(header), calledItself: calledItself(source, header) });
  }
  if (header.setup_sects === 0) {
    fail('bzimage.header', { file, offset: SETUP_HEADER, part }, { what: 'setup_sects is 0, wanted at least 1' });
  }
  const headerEnd = Number(LINUX_MAGIC_AT) + header.jump_length;
  if (headerEnd < PAYLOAD_FIELDS_END) {
    const what = `the setup header ends at 0x${headerEnd.toString(16)}, wanted 0x250`;
    fail('bzimage.header', { file, offset: 0x201n, part }, { what });
  }
  const { payload_offset: offset, payload_length: length } = header;
  if (offset === 0 || length < 8) {
    const place = { file, offset: setupField('payload_offset'), part };
    fail('bzimage.no-payload', place, { offset, length, calledItself: calledItself(source, header) });
  }
  const setupSize = BigInt(header.setup_sects + 1) * 512n;
  const payload = rangeOf(setupSize + BigInt(offset), BigInt(length));
  if (payload.end > source.size) {
    const context = { what: 'payload', start: payload.start, size: BigInt(length), end: source.size };
    fail('bzimage.bounds', { file, offset: setupField('payload_offset'), part }, context);
  }
  const format = payloadFormat(source, payload);
  return {
    source,
    header,
    setupSize,
    sysEnd: setupSize + BigInt(header.syssize) * 16n,
    payload,
    format,
    unpackedSize: statedSize(source, payload, format),
    attached: BigInt(offset) >= BigInt(header.syssize) * 16n,
    hasInitSize: header.version >= INIT_SIZE_PROTOCOL && headerEnd >= INIT_SIZE_END,
    pe: readEfiStub(source),
  };
}

/** Bytes of a version that are worth telling. */
const LONGEST_VERSION = 64n;

/** What kernel_version leads to, 0x200 behind its value; undefined: it leads to no text. */
function calledItself(source: ByteSource, { kernel_version }: SetupHeader): string | undefined {
  const start = BigInt(kernel_version) + 0x200n;
  if (kernel_version === 0 || start >= source.size) return undefined;
  const rest = source.size - start;
  const bytes = source.read(start, rest < LONGEST_VERSION ? rest : LONGEST_VERSION, 'kernel version');
  const end = bytes.indexOf(0);
  const text = latin1(end < 0 ? bytes : bytes.subarray(0, end)).trim();
  return /^[ -~]+$/.test(text) ? text : undefined;
}

function payloadFormat(source: ByteSource, payload: Range): PayloadFormat {
  const length = payload.end - payload.start;
  const start = source.read(payload.start, length < MAGIC_SIZE ? length : MAGIC_SIZE, 'payload');
  const format = formatOf(start);
  if (format !== undefined) return format;
  const place = { file: source.name, offset: payload.start, part: 'payload' };
  return fail('bzimage.compression', place, { magic: hexBytes(start.subarray(0, 4)), known: likelyName(start) });
}

/** The size word; the whole payload's own length where nothing is compressed. */
function statedSize(source: ByteSource, payload: Range, format: PayloadFormat): number {
  if (format === 'stored') return Number(payload.end - payload.start);
  const at = payload.end - 4n;
  const stated = wordAt(source.read(at, 4n, 'size word'), 0);
  if (BigInt(stated) > UNPACKED_LIMIT) {
    const found = `wanted at most 0x${UNPACKED_LIMIT.toString(16)}`;
    fail('bzimage.size', { file: source.name, offset: at, part: 'payload' }, { stated: BigInt(stated), found });
  }
  return stated;
}
