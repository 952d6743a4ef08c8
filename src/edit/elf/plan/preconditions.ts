/**
 * Images that are refused before anything is planned: objects that have no segments yet, and images that carry a signature
 * over all their bytes. Headers that contradict themselves are the verifier's to find.
 */
import { isAlignment } from '../../../base/bytes/align.js';
import { equalBytes, latin1Bytes } from '../../../base/bytes/text.js';
import { hex } from '../../../base/errors/hex.js';
import { fail } from '../../../base/errors/patch-error.js';
import { type ElfImage, loads } from '../../../formats/elf/image.js';
import { ET_CORE, ET_REL, fileTypeName } from '../../../formats/elf/names.js';

/** What a signed kernel module or image ends with (Linux, include/linux/module_signature.h). */
const SIGNATURE_TRAILER = latin1Bytes('~Module signature appended~\n');

/**
 * Refuses images that no placement can serve.
 * Errors: `plan.relocatable`, `plan.signed`, `plan.unsound` for a PT_LOAD with an impossible p_align.
 */
export function refuseByPreconditions(image: ElfImage): void {
  const { source, header } = image;
  const file = source.name;
  if (header.e_type === ET_REL || header.e_type === ET_CORE) {
    fail('plan.relocatable', { file, offset: 16n, part: 'e_type' }, { type: fileTypeName(header.e_type) });
  }
  const trailer = BigInt(SIGNATURE_TRAILER.length);
  if (source.size > trailer) {
    const end = source.read(source.size - trailer, trailer, 'end of file');
    if (equalBytes(SIGNATURE_TRAILER, end))
      fail('plan.signed', { file, offset: source.size - trailer }, { end: source.size });
  }
  // The verifier forgives this, for loaders of kernels ignore it; moving bytes by such an alignment has no meaning.
  const odd = loads(image).find(({ segment }) => !isAlignment(segment.p_align));
  if (odd !== undefined) {
    const what = `p_align is ${hex(odd.segment.p_align)}, wanted 0 or a power of two`;
    fail('plan.unsound', { file, part: `program header ${odd.index}` }, { what, check: 'segment-alignment' });
  }
}
