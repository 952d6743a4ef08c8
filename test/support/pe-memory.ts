/** What two loaders make of a file, by plain copying and the numbers of the formats: nothing of the code under test. */

export interface RawSection {
  readonly name: string;
  readonly virtualSize: number;
  readonly rva: number;
  readonly rawSize: number;
  readonly raw: number;
  readonly flags: number;
}

/** Section headers as they stand; names are not followed into the string table. */
export function rawSections(file: Buffer): RawSection[] {
  const pe = file.readUInt32LE(60);
  const table = pe + 24 + file.readUInt16LE(pe + 20);
  return Array.from({ length: file.readUInt16LE(pe + 6) }, (_, index) => {
    const at = table + 40 * index;
    const word = (field: number) => file.readUInt32LE(at + field);
    const name = file.toString('latin1', at, at + 8).replace(/\0+$/, '');
    return { name, virtualSize: word(8), rva: word(12), rawSize: word(16), raw: word(20), flags: word(36) };
  });
}

/** UEFI: of each section the smaller of its two sizes, from RVA 0 to SizeOfImage, nothing relocated. */
export function loadAsPe(file: Buffer): Buffer {
  const memory = Buffer.alloc(file.readUInt32LE(file.readUInt32LE(60) + 24 + 56));
  for (const { rva, virtualSize, raw, rawSize } of rawSections(file)) {
    file.copy(memory, rva, raw, raw + Math.min(virtualSize, rawSize));
  }
  return memory;
}

export interface FlatLoad {
  readonly start: number;
  readonly end: number;
  readonly memory: Buffer;
  readonly header: number;
  readonly headerEnd: number;
  readonly entry: number;
}

/** GRUB: one stretch of the file by the address tag, zeros up to bss_end_addr. */
export function loadFlat(file: Buffer): FlatLoad | undefined {
  for (let header = 0; header + 16 <= Math.min(file.length, 32768); header += 8) {
    if (file.readUInt32LE(header) !== 0xe85250d6 || file.readUInt32LE(header + 4) !== 0) continue;
    const length = file.readUInt32LE(header + 8);
    if ((0xe85250d6 + length + file.readUInt32LE(header + 12)) % 2 ** 32 !== 0) continue;
    const tags = new Map<number, number>();
    for (let at = header + 16; ; at += (file.readUInt32LE(at + 4) + 7) & ~7) {
      const type = file.readUInt16LE(at);
      if (type === 0) break;
      tags.set(type, at + 8);
    }
    const [address, entry] = [tags.get(2), tags.get(3)];
    if (address === undefined || entry === undefined) return undefined;
    const [headerAddr, start, loadEnd, end] = [0, 4, 8, 12].map((at) => file.readUInt32LE(address + at)) as [
      number,
      number,
      number,
      number,
    ];
    const memory = Buffer.alloc(end - start);
    const from = header - (headerAddr - start);
    file.copy(memory, 0, from, from + (loadEnd - start));
    return { start, end, memory, header, headerEnd: header + length, entry: file.readUInt32LE(entry) };
  }
  return undefined;
}
