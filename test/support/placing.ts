/** What tests of placements are given: an image of a few hundred bytes, an edit of chosen size, and the places of both classes. */
import { BufferSource } from '../../src/base/bytes/source.js';
import { isLayout, type Layout, type Refusal } from '../../src/edit/elf/placement/layout.js';
import type { PlacementInput } from '../../src/edit/elf/placement/placement-input.js';
import { analyze } from '../../src/edit/elf/plan/analyze.js';
import { imageKind } from '../../src/edit/elf/plan/image-kind.js';
import { settleOtherOwners } from '../../src/edit/elf/plan/other-owners.js';
import { DEFAULT_PLACEMENT, type Edit, type PlacementOptions } from '../../src/edit/elf/plan/placement-options.js';
import { wantedNotes } from '../../src/edit/elf/plan/wanted.js';
import { readElf } from '../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../src/formats/elf/struct.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { cstr, type ElfBuilder, elf, type TestNote } from './elf-builder.js';

/** Places and sizes that the tests type by hand, one row a class, each in both byte orders. */
export function perClass<T>(rows: {
  readonly 32: T;
  readonly 64: T;
}): readonly (T & { readonly encoding: Encoding })[] {
  return ENCODINGS.map((encoding) => ({ ...rows[encoding.bits], encoding }));
}

/** Sizes by class, as gABI has them: ELF header, program header, section header. */
export const SIZES = { 32: { ehdr: 52, phdr: 32, shdr: 40 }, 64: { ehdr: 64, phdr: 56, shdr: 64 } } as const;

/** Code at 1 MiB, 64 bytes that are not zero, at any offset; `slack` zero bytes in front of it. */
export function kernel(encoding: Encoding, slack: number): ElfBuilder {
  return elf(encoding).load(0x100000n, new Uint8Array(64).fill(0x90), { align: 1n }).with({ slack });
}

/** A GUEST_OS record of `size` bytes in the file: 12 for the header, 4 for the owner, the text and its NUL. */
export function osNote(size: number): TestNote {
  return { type: 6, desc: cstr(textOf(size)) };
}

function textOf(size: number): string {
  return 'x'.repeat(size - 17);
}

/** The edit that sets a GUEST_OS record of `size` bytes, a multiple of 4 from 20 on. */
export function osEdit(size = 20): readonly Edit[] {
  return [{ kind: 'set', setting: parseSetting(`GUEST_OS=${textOf(size)}`) }];
}

/** What a placement is given for these bytes and edits, as planPatch puts it together. */
export function inputFor(
  image: Uint8Array | ElfBuilder,
  edits: readonly Edit[] = osEdit(),
  options: Partial<PlacementOptions> = {},
): PlacementInput {
  const bytes = image instanceof Uint8Array ? image : image.build();
  const analysis = analyze(readElf(new BufferSource(bytes, 'image')));
  const { target, otherOwners } = settleOtherOwners(analysis, edits);
  return {
    analysis,
    target,
    wanted: wantedNotes(analysis, target, edits).notes,
    otherOwners,
    xenEdited: true,
    rewrite: false,
    options: { ...DEFAULT_PLACEMENT, ...options },
    kind: imageKind(analysis, options.kind),
  };
}

/** The layout; a refusal throws with its reason. */
export function placed(outcome: Layout | Refusal): Layout {
  if (!isLayout(outcome)) throw new Error(`${outcome.placement}: ${outcome.reason}`);
  return outcome;
}

/** The reason of a refusal; a layout throws with its summary. */
export function refused(outcome: Layout | Refusal): string {
  if (isLayout(outcome)) throw new Error(`${outcome.placement}: ${outcome.summary}`);
  return outcome.reason;
}

/** The bytes with some of them replaced. */
export function patched(bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}
