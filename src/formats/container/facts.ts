/** What was looked through to get at an ELF, as plain data: for reports, and for verdicts of loaders. */
import type { Range } from '../../base/bytes/range.js';
import type { PayloadFormat } from './formats.js';

/** A property of the packed data that some reader cannot take. */
export interface Demand {
  /** `hypervisor`: Xen building dom0. `toolstack`: libxenguest. `linux`: the kernel's own start-up code. */
  readonly reader: 'hypervisor' | 'toolstack' | 'linux';
  /** The first release of that reader that takes it, if any does. */
  readonly takenSince: string | undefined;
  readonly what: string;
  /** What the reader prints; undefined: nothing that is known. */
  readonly says: string | undefined;
}

interface Common {
  /** The file, as it was given. */
  readonly file: string;
  readonly fileSize: bigint;
  /** How the ELF is packed. */
  readonly format: PayloadFormat;
  /** File range of the packed stream. */
  readonly stream: Range;
  readonly unpackedSize: bigint;
  /** Bytes of the ELF proper; what follows up to unpackedSize is Linux's relocation table. */
  readonly elfSize: bigint;
  readonly demands: readonly Demand[];
  readonly warnings: readonly string[];
}

/** What is known of an ELF.gz without its contents. */
export interface GzipFacts extends Common {
  readonly kind: 'gzip';
  /** Bytes behind the first member; whose they are. */
  readonly behind: { readonly size: bigint; readonly kind: 'nothing' | 'member' | 'other' };
  readonly flags: number;
  /** The last 4 bytes of the file, which readers take as the unpacked size. */
  readonly lastWord: bigint;
}

/** What is known of a Linux boot image without its contents. */
export interface BzImageFacts extends Common {
  readonly kind: 'bzimage';
  /** Boot protocol, `2.15`. */
  readonly protocol: string;
  /** The payload stands behind the kernel, where --payload attach puts it. */
  readonly attached: boolean;
  /** Bytes between the stream and the size word. */
  readonly spare: bigint;
  /** Secure Boot signature. */
  readonly signed: boolean;
}

/** An ELF packed as a whole by something else than gzip, in no other wrapper. */
export interface StreamFacts extends Common {
  readonly kind: 'stream';
  /** The file ends with the unpacked size, as a bzImage payload does. */
  readonly sizeWord: boolean;
}

/** What is known of a container without its contents. */
export type ContainerFacts = GzipFacts | BzImageFacts | StreamFacts;

/** `bzImage (protocol 2.15), xz payload`. */
export function containerText(facts: ContainerFacts): string {
  if (facts.kind === 'gzip') return 'gzip file';
  if (facts.kind === 'stream') return `${facts.format} stream ${facts.sizeWord ? 'with' : 'without'} a size word`;
  const where = facts.attached ? 'attached ' : '';
  const signed = facts.signed ? ', signed' : '';
  return `bzImage (protocol ${facts.protocol}${signed}), ${where}${facts.format} payload`;
}
