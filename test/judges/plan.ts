/** A small kernel as plain data that can be bent in any field, and the bytes that it becomes. */

import type { Encoding } from '../../src/formats/elf/struct.js';
import { concat, latin1, num } from '../support/elf-builder.js';

/** A program header; every field is put down as it stands. */
export interface PlannedSegment {
  type: number;
  flags: number;
  offset: bigint;
  vaddr: bigint;
  paddr: bigint;
  filesz: bigint;
  memsz: bigint;
  align: bigint;
}

/** A section header, likewise. */
export interface PlannedSection {
  type: number;
  addr: bigint;
  offset: bigint;
  size: bigint;
  entsize: bigint;
}

/** A note record; sizes are put down as they stand. */
export interface PlannedNote {
  owner: Uint8Array;
  namesz: number;
  type: number;
  desc: Uint8Array;
  descsz: number;
  /** Zero bytes behind it. */
  gap: number;
}

/** A tag of a Multiboot2 header. */
export interface PlannedTag {
  type: number;
  flags: number;
  size: number;
  words: number[];
  /** Zero bytes up to a multiple of 8 behind it. */
  padded: boolean;
}

/** A Multiboot header of either version and its place in the file. */
export interface PlannedMultiboot {
  version: 1 | 2;
  at: number;
  flags: number;
  /** Version 1: the five address fields. */
  fields: number[];
  /** Added to the right checksum. */
  sumOff: number;
  architecture: number;
  /** Version 2: added to the right header_length. */
  lengthOff: number;
  tags: PlannedTag[];
}

/** Everything that becomes the file. */
export interface Plan {
  bits: 32 | 64;
  header: Record<HeaderField, bigint>;
  ident: Map<number, number>;
  segments: PlannedSegment[];
  sections: PlannedSection[];
  notes: PlannedNote[];
  multiboot: PlannedMultiboot | undefined;
  /** Where code, data and notes stand in the file. */
  codeAt: number;
  dataAt: number;
  notesAt: number;
  /** Bytes that the file is shorter at its end, or longer. */
  cut: number;
  tail: number;
}

/** Fields of the ELF header behind e_ident, with their width in either class. */
const HEADER = [
  ['e_type', 2, 2],
  ['e_machine', 2, 2],
  ['e_version', 4, 4],
  ['e_entry', 4, 8],
  ['e_phoff', 4, 8],
  ['e_shoff', 4, 8],
  ['e_flags', 4, 4],
  ['e_ehsize', 2, 2],
  ['e_phentsize', 2, 2],
  ['e_phnum', 2, 2],
  ['e_shentsize', 2, 2],
  ['e_shnum', 2, 2],
  ['e_shstrndx', 2, 2],
] as const;
export type HeaderField = (typeof HEADER)[number][0];

const LE: Encoding = { bits: 64, endian: 'little' };
const put = (value: bigint | number, width: number): Uint8Array =>
  num(BigInt.asUintN(8 * width, BigInt(value)), width, LE);
const pad = (bytes: Uint8Array, unit: number): Uint8Array =>
  concat([bytes, new Uint8Array((unit - (bytes.length % unit)) % unit)]);

/** Where the code is loaded, if nothing is bent. */
export const BASE = 0x200000n;
export const CODE_SIZE = 0x1000;
export const DATA_SIZE = 0x200;
/** Where the stub starts within the code; in front of it every byte is an entry. */
export const STUB_AT = 0xf80;

/** One byte that adds 1 to EAX in 32-bit code, so that EAX tells at the stub where it was entered. */
const INC_EAX = 0x40;
/** mov ecx,8; 1: rol ebx,4; mov al,bl; and al,15; add al,'A'; out dx,al; loop 1b: EBX in eight letters from A to P. */
const PRINT_EBX = [0xb9, 8, 0, 0, 0, 0xc1, 0xc3, 0x04, 0x88, 0xd8, 0x24, 0x0f, 0x04, 0x41, 0xee, 0xe2, 0xf4];
/**
 * 32-bit code that writes `@`, EAX and where it stands to the first serial port, then resets the machine: cli; mov ebx,eax;
 * mov esp,0x80000; call 1f; 1: pop esi; mov edx,0x3f8; mov al,'@'; out dx,al; EBX; mov ebx,esi; EBX; mov al,10; out dx,al;
 * mov al,0xfe; out 0x64,al; hlt; jmp.
 */
const STUB = [
  [0xfa, 0x89, 0xc3, 0xbc, 0, 0, 8, 0, 0xe8, 0, 0, 0, 0, 0x5e, 0xba, 0xf8, 0x03, 0, 0, 0xb0, 0x40, 0xee],
  PRINT_EBX,
  [0x89, 0xf3],
  PRINT_EBX,
  [0xb0, 0x0a, 0xee, 0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd],
].flat();
export const STUB_SIZE = STUB.length;
/** From the start of the stub to where its call returns. */
const RETURN_AT = 13;

function codeBytes(): Uint8Array {
  const code = new Uint8Array(CODE_SIZE).fill(INC_EAX);
  code.set(STUB, STUB_AT);
  return code;
}

/** The bytes of all records, one behind the other. */
export function noteBytes(notes: readonly PlannedNote[]): Uint8Array {
  return concat(
    notes.flatMap(({ owner, namesz, type, desc, descsz, gap }) => [
      put(namesz, 4),
      put(descsz, 4),
      put(type, 4),
      pad(owner, 4),
      pad(desc, 4),
      new Uint8Array(gap),
    ]),
  );
}

function multibootBytes({
  version,
  flags,
  fields,
  sumOff,
  architecture,
  lengthOff,
  tags,
}: PlannedMultiboot): Uint8Array {
  const words = (values: readonly number[]) => concat(values.map((value) => put(value, 4)));
  if (version === 1) return words([0x1badb002, flags, sumOff - (0x1badb002 + flags), ...fields]);
  const body = concat(
    tags.map(({ type, flags: optional, size, words: values, padded }) => {
      const bytes = concat([put(type, 2), put(optional, 2), put(size, 4), words(values)]);
      return padded ? pad(bytes, 8) : bytes;
    }),
  );
  const length = 16 + body.length + lengthOff;
  return concat([words([0xe85250d6, architecture, length, sumOff - (0xe85250d6 + architecture + length)]), body]);
}

/** The file. */
export function bytesOf(plan: Plan): Uint8Array {
  const { bits, header, ident, segments, sections, notes, multiboot, codeAt, dataAt, notesAt, cut, tail } = plan;
  const wide = bits === 64;
  const native = wide ? 8 : 4;
  const head = concat([
    Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    ...HEADER.map(([field, narrow, width]) => put(header[field], wide ? width : narrow)),
  ]);
  const table = concat(
    segments.map(({ type, flags, offset, vaddr, paddr, filesz, memsz, align }) => {
      const [a, b] = [put(type, 4), put(flags, 4)];
      const rest = [offset, vaddr, paddr, filesz, memsz, align].map((value) => put(value, native));
      return concat(wide ? [a, b, ...rest] : [a, ...rest.slice(0, 5), b, ...rest.slice(5)]);
    }),
  );
  const places = concat(
    sections.map(({ type, addr, offset, size, entsize }) =>
      concat([
        put(0, 4),
        put(type, 4),
        ...[0n, addr, offset, size].map((value) => put(value, native)),
        put(0, 4),
        put(0, 4),
        put(1n, native),
        put(entsize, native),
      ]),
    ),
  );
  const records = noteBytes(notes);
  const sectionsAt = (notesAt + records.length + 15) & ~15;
  const file = new Uint8Array(sectionsAt + places.length);
  const areas: readonly (readonly [number, Uint8Array])[] = [
    [head.length, table],
    [codeAt, codeBytes()],
    [dataAt, new Uint8Array(DATA_SIZE).fill(0x5a)],
    [notesAt, records],
    [sectionsAt, places],
    ...(multiboot === undefined ? [] : [[multiboot.at, multibootBytes(multiboot)] as const]),
    [0, head],
  ];
  for (const [at, bytes] of areas) file.set(bytes.subarray(0, Math.max(0, file.length - at)), at);
  for (const [at, value] of ident) file[at] = value;
  return concat([file.subarray(0, Math.max(1, file.length - cut)), new Uint8Array(tail)]);
}

/** A note record as it should be. */
export function recordOf(type: number, desc: Uint8Array, owner = 'Xen\0', gap = 0): PlannedNote {
  const bytes = latin1(owner);
  return { owner: bytes, namesz: bytes.length, type, desc, descsz: desc.length, gap };
}

/** A number as a descriptor. */
export function four(value: bigint): Uint8Array {
  return put(value, 4);
}

/** The same in 8 bytes. */
export function eight(value: bigint): Uint8Array {
  return put(value, 8);
}

/** What a kernel printed that came to its stub. */
export interface Reached {
  readonly eax: number;
  /** Where the stub stands in memory. */
  readonly stub: number;
}

/** Undefined where the stub was not reached. */
export function reachedStub(serial: string): Reached | undefined {
  const [, first, second] = /@([A-P]{8})([A-P]{8})/.exec(serial) ?? [];
  if (first === undefined || second === undefined) return undefined;
  const number = (letters: string) => [...letters].reduce((value, each) => value * 16 + each.charCodeAt(0) - 0x41, 0);
  return { eax: number(first), stub: number(second) - RETURN_AT };
}
