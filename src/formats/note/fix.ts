/**
 * What mends an image, as plain data: a loader's rule returns it, `fix` tries and applies it, `verify` prints it. How it is
 * spelled as a command line is decided in fix-command.ts alone, and nothing reads such a line back.
 */
import type { Edit } from './edits.js';
import { infoOf, type XenNoteName } from './xen-notes.js';

/** A repair of headers that are no notes. */
export type HeaderRepair =
  /** e_shoff, e_shnum and e_shstrndx are set to 0: the section header table that they name is not there. */
  | { readonly kind: 'drop-section-headers' }
  /** The least section header table that GRUB takes is appended: the null section and a section-name table. */
  | { readonly kind: 'add-section-headers' }
  /** Each PT_LOAD that is empty in the file and in memory becomes a PT_NULL. */
  | { readonly kind: 'null-empty-loads' };

/** What is done to the file around the image; an absent member leaves that to the default of the command. */
export interface WrapperChange {
  /** How the image gets into a bzImage (attach, replace), or that it is taken out of its wrapper (extract). */
  readonly payload?: 'attach' | 'replace' | 'extract' | undefined;
  /** replace: the program that packs. extract: `gzip`, for an ELF.gz. */
  readonly compressor?: string | undefined;
  /** A Secure Boot signature is taken off: it would no longer match. */
  readonly stripSignature?: true | undefined;
}

/** Edits of notes, repairs of headers and a change of the wrapper, applied together. */
export interface ImageFix {
  readonly kind: 'image';
  readonly edits: readonly Edit[];
  readonly repairs: readonly HeaderRepair[];
  /** Undefined: the image is a bare ELF, or its wrapper is treated as the command does by default. */
  readonly wrapper: WrapperChange | undefined;
}

/** A PE image (xen.efi) is laid out so that Multiboot loaders take it. */
export interface LinearFix {
  readonly kind: 'linearize';
  /** With a Multiboot 1 header, too. */
  readonly mb1: boolean;
  /** A Secure Boot signature is taken off: it would no longer match. */
  readonly dropSignature?: true | undefined;
}

/** An edit that mends an image, as data: of notes and headers, or of a linear layout. */
export type Fix = ImageFix | LinearFix;

/** A fix that edits notes and leaves the rest of the image alone. */
export function editFix(...edits: readonly Edit[]): ImageFix {
  return { kind: 'image', edits, repairs: [], wrapper: undefined };
}

/** A fix of the file around the image alone. */
export function wrapperFix(wrapper: WrapperChange): ImageFix {
  return { kind: 'image', edits: [], repairs: [], wrapper };
}

/** A fix of headers that are no notes. */
export function repairFix(kind: HeaderRepair['kind']): ImageFix {
  return { kind: 'image', edits: [], repairs: [{ kind }], wrapper: undefined };
}

/** Does the fix change the image or its wrapper at all? */
export function isEmptyFix({ edits, repairs, wrapper }: ImageFix): boolean {
  return edits.length === 0 && repairs.length === 0 && wrapper === undefined;
}

/** `--set NAME=TEXT` for a note that is text. */
export function setText(name: XenNoteName, text: string): Edit {
  const info = infoOf(name);
  return { kind: 'set', setting: { type: info.type, info, width: undefined, expr: { kind: 'text', text } } };
}

/** The edit of `--unset NAME`. */
export function unset(name: XenNoteName): Edit {
  return { kind: 'unset', type: infoOf(name).type };
}

/** The edit of `--preset NAME`. */
export function preset(name: string): Edit {
  return { kind: 'preset', name };
}
