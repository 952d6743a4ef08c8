/**
 * Images that are refused before anything is planned, one row a reason: what has no segments yet, what a signature covers,
 * headers that no edit could be built on. A placement has conditions of its own; these hold for all of them.
 */
import { isAlignment } from '../../base/bytes/align.js';
import { hex } from '../../base/errors/hex.js';
import { PatchError, type Place } from '../../base/errors/patch-error.js';
import { appendedSignature } from '../../formats/elf/appended-signature.js';
import { type ElfImage, hasFileBytes, loads } from '../../formats/elf/image.js';
import { ET_CORE, ET_REL, fileTypeName } from '../../formats/elf/names.js';
import { verifyImage } from '../../verify/elf/verify.js';

/** One reason for which an image is not edited. */
export interface Precondition {
  /** Stable; tests name it. */
  readonly name: string;
  /** Where it is said that such an image is as it is. */
  readonly source: string;
  /** `edit`: only where notes are edited. `any`: a copy with repaired headers is refused as well. */
  readonly when: 'edit' | 'any';
  /** The refusal; undefined where the image is as wanted. */
  readonly refusal: (image: ElfImage) => PatchError | undefined;
}

/** The largest page of a machine that boots these images: more is an alignment that no file needs, and a file filled up to it. */
const LARGEST_PAGE = 0x40000000n;

/** Every reason, in the order in which they are asked. */
export const PRECONDITIONS: readonly Precondition[] = [
  {
    name: 'linked',
    source: 'gABI, "ELF Header", e_type: ET_REL has no segments, ET_CORE is what is left of a process',
    when: 'edit',
    refusal({ source, header }) {
      if (header.e_type !== ET_REL && header.e_type !== ET_CORE) return undefined;
      const place = { file: source.name, offset: 16n, part: 'e_type' };
      return PatchError.of('plan.relocatable', place, { type: fileTypeName(header.e_type) });
    },
  },
  {
    name: 'unsigned',
    source: 'Linux, include/linux/module_signature.h, MODULE_SIG_STRING',
    when: 'edit',
    refusal({ source }) {
      const signature = appendedSignature(source);
      if (signature === undefined) return undefined;
      const why = signature.start === undefined ? signature.why : undefined;
      return PatchError.of('plan.signed', { file: source.name, offset: signature.line }, { end: source.size, why });
    },
  },
  {
    // The verifier forgives this, for loaders of kernels ignore it; moving bytes by such an alignment has no meaning.
    name: 'alignment-is-one',
    source: 'gABI, "Program Header", p_align: 0 and 1 mean none, else a positive power of two',
    when: 'edit',
    refusal: (image) => oddLoad(image, (align) => !isAlignment(align), 'wanted 0 or a power of two'),
  },
  {
    name: 'alignment-of-a-page',
    source: 'Intel SDM volume 3A, 4.5 "4-Level Paging": no page is larger than 1 GiB',
    when: 'edit',
    refusal(image) {
      const wanted = 'wanted at most 1 GiB, the largest page';
      const index = image.sections.findIndex((s) => hasFileBytes(s) && s.sh_addralign > LARGEST_PAGE);
      const section = image.sections[index];
      if (section === undefined) return oddLoad(image, (align) => align > LARGEST_PAGE, wanted);
      const what = `sh_addralign is ${hex(section.sh_addralign)}, ${wanted}`;
      const place = { file: image.source.name, part: `section ${index}` };
      return PatchError.of('plan.unsound', place, { what, check: 'section-alignment' });
    },
  },
  {
    // What valid images break in practice (the verifier's warnings) is no obstacle.
    name: 'sound',
    source: 'src/verify/elf/checks.ts: loaders disagree about headers that cannot be true, and no edit could be proved',
    when: 'any',
    refusal(image) {
      const broken = verifyImage({ image }).find(({ level }) => level === 'error');
      return broken && PatchError.of('plan.unsound', broken.place, { what: broken.text, check: broken.check });
    },
  },
];

function oddLoad(image: ElfImage, isOdd: (p_align: bigint) => boolean, wanted: string): PatchError | undefined {
  const odd = loads(image).find(({ segment }) => isOdd(segment.p_align));
  if (odd === undefined) return undefined;
  const place: Place = { file: image.source.name, part: `program header ${odd.index}` };
  const what = `p_align is ${hex(odd.segment.p_align)}, ${wanted}`;
  return PatchError.of('plan.unsound', place, { what, check: 'segment-alignment' });
}

/**
 * Refuses images that no placement can serve; for `any`, those alone of which not even a copy is made.
 * Errors: `plan.relocatable`, `plan.signed`, `plan.unsound`.
 */
export function refuseByPreconditions(image: ElfImage, when: Precondition['when']): void {
  for (const row of PRECONDITIONS) {
    if (when === 'any' && row.when === 'edit') continue;
    const refusal = row.refusal(image);
    if (refusal !== undefined) throw refusal;
  }
}
