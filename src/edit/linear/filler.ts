/** Proof that bytes are filler: only then may a header grow over them. */
import { type Range, rangeOf } from '../../base/bytes/range.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { fileOffsetOf, type PeImage } from '../../formats/pe/image.js';
import { relocations } from '../../formats/pe/relocations.js';
import { eachAddress } from '../../formats/pe/symbols.js';

/** What assemblers and linker scripts fill with. NOPs behind a jump over them are a larger pattern and not among these. */
const FILLERS: readonly number[] = [0x90, 0xcc, 0x00];

/** Bytes that a header may grow over, with what was looked at to prove it, or why they are no filler. */
export type FillerProof =
  | {
      readonly ok: true;
      readonly range: Range;
      readonly byte: number;
      readonly symbols: number;
      readonly relocations: number;
    }
  | { readonly ok: false; readonly why: string };

/** Are the bytes at these RVAs all the same filler, loaded from the file, with no symbol in them and no relocation? */
export function proveFiller(image: PeImage, range: Range): FillerProof {
  const size = range.end - range.start;
  const no = (why: string): FillerProof => ({ ok: false, why });
  const offset = fileOffsetOf(image, range.start, size);
  if (offset === undefined) return no(`RVA ${hexRange(range.start, range.end)} is not inside one section's data`);
  const bytes = image.source.read(offset, size, 'filler');
  const [first = 0xff] = bytes;
  if (!FILLERS.includes(first)) return no(`the byte behind the header is ${hex(first)}, which is no filler`);
  const other = bytes.findIndex((byte) => byte !== first);
  if (other >= 0) {
    return no(`${other} bytes of filler stand behind the header, then ${hex(bytes[other] ?? 0)}`);
  }
  let symbols = 0;
  let hit: bigint | undefined;
  const starts = image.sections.map(({ VirtualAddress }) => Number(VirtualAddress));
  const [from, to] = [Number(range.start), Number(range.end)];
  eachAddress(image, (section, value) => {
    symbols += 1;
    const at = (starts[section - 1] ?? Number.NaN) + value;
    if (at >= from && at < to) hit ??= BigInt(at);
  });
  if (hit !== undefined) return no(`a symbol stands at RVA ${hex(hit)}, behind the header`);
  let count = 0;
  for (const { rva, width } of relocations(image)) {
    count += 1;
    const target = rangeOf(rva, width);
    if (target.start < range.end && range.start < target.end) {
      return no(`a base relocation is aimed at RVA ${hex(rva)}, behind the header`);
    }
  }
  return { ok: true, range, byte: first, symbols, relocations: count };
}
