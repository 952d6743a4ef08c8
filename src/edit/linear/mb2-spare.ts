/**
 * Tags of a Multiboot2 header that can give their place to others. Where code follows the header at once (Xen before 4.17) it cannot
 * grow, and in front of the sections it is where the specification does not allow it. What a kernel wishes of the console is no
 * condition of its start where the tag is optional: the specification lets a loader pass over it ("General tag structure").
 */
import { MB2_ALIGN, type Mb2Header } from '../../formats/multiboot/mb2.js';
import { TAG_CONSOLE_FLAGS, TAG_FRAMEBUFFER, TAG_OPTIONAL, tagName } from '../../formats/multiboot/tags.js';

const CONSOLE: readonly number[] = [TAG_CONSOLE_FLAGS, TAG_FRAMEBUFFER];

/** Tags that follow each other and may go. */
export interface SpareTags {
  /** Of the first one, counted from the start of the header. */
  readonly at: number;
  /** What they are called, in order. */
  readonly names: readonly string[];
}

/** The first optional tags about the console that take exactly `room` bytes together, so that no other tag has to move. */
export function spareTags({ tags }: Mb2Header, room: number): SpareTags | undefined {
  for (const [index, { at }] of tags.entries()) {
    const names: string[] = [];
    let size = 0;
    for (const tag of tags.slice(index)) {
      if (size >= room || !CONSOLE.includes(tag.type) || (tag.flags & TAG_OPTIONAL) === 0) break;
      size += Math.ceil(tag.size / MB2_ALIGN) * MB2_ALIGN;
      names.push(tagName(tag.type));
    }
    if (size === room) return { at, names };
  }
  return undefined;
}
