/** What `notes` has to say about a PE image: it has no ELF notes; what loaders read instead. */
import type { ByteSource } from '../bytes/source.js';
import { hex } from '../errors/hex.js';
import { findMb2, mb2Values, tagName } from '../multiboot/mb2.js';
import { peBuildId } from '../pe/debug.js';
import type { PeImage } from '../pe/image.js';
import { peMachineName } from '../pe/names.js';
import { looksLikePe } from '../pe/read.js';
import { bytesToJson, type Json } from './json.js';
import { printable, type Style, table } from './text.js';

export interface PeFacts {
  readonly file: string;
  readonly machine: string;
  readonly sections: number;
  readonly buildId: Uint8Array | undefined;
  /** What GRUB would find; undefined without a header. */
  readonly multiboot2:
    | {
        readonly offset: bigint;
        readonly tags: readonly string[];
        /** With an address tag a Multiboot2 loader takes the file as it stands, whatever its format. */
        readonly loadable: boolean;
      }
    | undefined;
}

/** Is it a PE image made for Multiboot2 as well, as xen.efi is? Other PE images are containers or no business of ours. */
export function isMultibootPe(source: ByteSource): boolean {
  return looksLikePe(source) && findMb2(source) !== undefined;
}

/** Everything is read here and now, so the image need not stay open. Errors: `pe.directory`. */
export function peFacts(image: PeImage): PeFacts {
  const header = findMb2(image.source);
  return {
    file: image.source.name,
    machine: peMachineName(image.fileHeader.Machine),
    sections: image.sections.length,
    buildId: peBuildId(image),
    multiboot2:
      header === undefined
        ? undefined
        : {
            offset: header.offset,
            tags: header.tags.map(({ type }) => tagName(type)),
            loadable: header.problem === undefined && mb2Values(header).address !== undefined,
          },
  };
}

/** The report of one image. */
export function peText({ file, machine, sections, buildId, multiboot2 }: PeFacts, style: Style): string {
  const rows = [
    ['ELF notes', 'none: a PE image has no place for them, and UEFI and Multiboot loaders read none'],
    ['build-id', buildId === undefined ? 'none' : bytesToJson(buildId)],
  ];
  if (multiboot2 === undefined) rows.push(['Multiboot2', 'no header']);
  else {
    const { offset, tags, loadable } = multiboot2;
    rows.push(['Multiboot2', `header at ${hex(offset)}: ${tags.join(', ')}`]);
    rows.push([
      '',
      loadable ? 'loadable as it stands' : 'no address tag, so loaders want ELF and refuse it (see linearize)',
    ]);
  }
  return `${style.bold(printable(file))}: PE32+, ${machine}, ${sections} sections\n${table(rows, '  ')}`;
}

/** One image of the document. */
export function peJson({ file, machine, buildId, multiboot2 }: PeFacts): { readonly [key: string]: Json } {
  return {
    file,
    format: 'pe',
    machine,
    buildId: buildId === undefined ? null : bytesToJson(buildId),
    multiboot2: multiboot2 === undefined ? null : { ...multiboot2, tags: [...multiboot2.tags] },
    notes: [],
  };
}
