/** The 32-bit entry: as asked, as it is, or as the image tells. */
import { countWhile } from '../../base/bytes/sorted.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import type { Mb2Values } from '../../formats/multiboot/mb2.js';
import { mostLike, nearest } from '../../formats/note/nearest.js';
import { isExecutable, type PeImage } from '../../formats/pe/image.js';
import { IMAGE_SYM_CLASS_EXTERNAL } from '../../formats/pe/names.js';
import { symbolNames, symbolsNamed } from '../../formats/pe/symbols.js';
import type { EntryOptions } from './options.js';
import type { Placement } from './place.js';

/** Xen's name for it (xen/arch/x86/boot/head.S). */
const START = 'start';

/** Is this RVA in an executable section that a flat loader loads? */
export function isLoadedCode({ sections }: Pick<Placement, 'sections'>, rva: bigint): boolean {
  // Sections ascend.
  const section = sections[countWhile(sections, ({ VirtualAddress }) => VirtualAddress <= rva) - 1];
  if (section === undefined || rva >= section.VirtualAddress + section.VirtualSize) return false;
  return section.role === 'image' && isExecutable(section);
}

/** The RVA of the 32-bit entry and how it was found. Errors: `mb2.entry-unknown`, `mb2.bad-address`. */
export function findEntry(
  image: PeImage,
  placement: Placement,
  values: Mb2Values,
  options: EntryOptions | undefined,
  physBase: bigint,
): { readonly rva: bigint; readonly from: string } {
  const file = image.source.name;
  const unknown = (why: string, near: readonly string[] = []) =>
    fail('mb2.entry-unknown', { file }, { why, nearest: near });
  const checked = (rva: bigint, from: string) => {
    if (!isLoadedCode(placement, rva)) {
      const context = {
        what: `the 32-bit entry (${from})`,
        value: rva,
        wanted: 'an RVA in a loaded, executable section',
      };
      fail('mb2.bad-address', { file }, context);
    }
    return { rva, from };
  };
  if (options?.kind === 'rva') return checked(options.rva, '--entry');
  if (options?.kind === 'symbol') {
    const { name } = options;
    const rva = symbolRva(image, placement, name);
    if (rva === undefined) return unknown(`there is no symbol ${name} in loaded code`, nearSymbols(image, name));
    return checked(rva, `symbol ${name}`);
  }
  // An entry tag next to an address tag for this very place has been right before.
  if (values.entry !== undefined && values.address?.load_addr === placement.loadStart + physBase) {
    return checked(values.entry - physBase, 'entry tag');
  }
  const start = symbolRva(image, placement, START);
  if (start !== undefined) return checked(start, `symbol ${START}`);
  const first = placement.loadStart;
  if (values.relocatable?.min_addr === first + physBase && isLoadedCode(placement, first)) {
    return { rva: first, from: 'first byte, as in Xen' };
  }
  return unknown(
    `there is no --entry, no symbol ${START} in loaded code, and no relocatable tag for ${hex(first + physBase)}`,
  );
}

function nearSymbols(image: PeImage, name: string): readonly string[] {
  return nearest(name, [...new Set(symbolNames(image, mostLike(name)))]).filter((near) => near !== name);
}

/** The address of a symbol in loaded code. Of several the global one; several different ones are none. */
function symbolRva(image: PeImage, placement: Placement, name: string): bigint | undefined {
  const all = new Set<bigint>();
  const globals = new Set<bigint>();
  for (const { rva, storageClass } of symbolsNamed(image, name)) {
    if (!isLoadedCode(placement, rva)) continue;
    // Two different ones settle it; a table may hold a million.
    if (all.size < 2) all.add(rva);
    if (storageClass === IMAGE_SYM_CLASS_EXTERNAL && globals.size < 2) globals.add(rva);
  }
  const candidates = globals.size > 0 ? globals : all;
  const [only] = candidates;
  return candidates.size === 1 ? only : undefined;
}
