/**
 * What to do where UEFI firmware, shim, or GRUB by shim does not start a PE image: one row a rule, with a command where one of
 * ours helps, which was planned on the image before it is named. Signing stays with the owner of a key.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { PatchError } from '../../base/errors/patch-error.js';
import type { Fix } from '../../formats/note/fix.js';
import { fixCommand } from '../../formats/note/fix-command.js';
import { directory } from '../../formats/pe/image.js';
import { SBAT_SECTION, sectionCalled } from '../../formats/pe/metadata-sections.js';
import { DIRECTORY_SECURITY } from '../../formats/pe/names.js';
import { looksLikePe, readPe, readPeHeaders } from '../../formats/pe/read.js';
import { rowOf, SBAT_HEADER } from '../../formats/pe/sbat.js';
import { isOfFamily } from '../../loaders/names.js';
import type { Verdict } from '../../loaders/rule.js';
import { layOutLinear } from '../linear/lay-out.js';
import { DEFAULT_LINEAR_OPTIONS } from '../linear/options.js';
import { layOutStamped } from '../pe/lay-out.js';
import type { PeStampWish } from '../pe/wish.js';

/** A file and what a loader of PE images says of it. */
interface Asked {
  readonly source: ByteSource;
  readonly verdict: Verdict;
  /** As a command line names it; undefined: standard input. */
  readonly file: string | undefined;
}

type Row = (asked: Asked) => string;

const NO_PE =
  'it is no PE image, and UEFI firmware starts nothing else: of Xen that is xen.efi, of Linux a vmlinuz with EFI stub; GRUB starts an ELF by multiboot2 or multiboot';

const LINK_AGAIN = 'link or copy it again, or undo what changed it after the link';

const said: Row = ({ verdict: { reason, message } }) =>
  `${reason ?? message ?? 'its headers are damaged'}: ${LINK_AGAIN}`;

const peImage: Row = ({ source, verdict }) => {
  if (source.size === 0n) return 'the file is empty: build it again';
  if (!looksLikePe(source)) return NO_PE;
  return `${verdict.reason ?? 'its headers are no PE headers'}: firmware of x86-64 takes a PE image for x86-64 (PE32+), so build it for that machine, or ${LINK_AGAIN}`;
};

const hasSbat = ({ source }: Asked): boolean => {
  const headers = readPeHeaders(source);
  return headers !== undefined && sectionCalled(headers, SBAT_SECTION) !== undefined;
};

const isSigned = ({ source }: Asked): boolean => {
  const headers = readPeHeaders(source);
  return headers !== undefined && directory(headers, DIRECTORY_SECURITY) !== undefined;
};

/** shim asks what it starts itself for SBAT, and a signature covers it: so that comes first. */
const signed: Row = (asked) => {
  const key = `sign it by sbsign with a key that shim (a MOK) or the firmware (db) knows`;
  if (isSigned(asked)) return `the file was changed after it was signed: take the one that was signed, or ${key} again`;
  if (asked.verdict.loader !== 'shim' || hasSbat(asked)) return key;
  return `${key}; before that it needs the section .sbat, which the signature covers; ${FIRST_LINE}: ${sbatLine(asked)}`;
};

const FIRST_LINE = 'put in the line that every SBAT begins with, and by --sbat one of your own program behind it';

const sbat: Row = (asked) => {
  if (!hasSbat(asked)) {
    const kernel =
      'shim asks .sbat of what it starts itself, and not of a kernel that GRUB starts behind it (--for grub-secure-boot)';
    return `${kernel}; ${FIRST_LINE}, and sign it ${isSigned(asked) ? 'again ' : ''}after that: ${sbatLine(asked)}`;
  }
  const { reason = 'a component is revoked' } = asked.verdict;
  return /revoked/.test(reason)
    ? `${reason}: take a release of that program that has it, since the number stands for fixed faults`
    : `${reason}, wanted component,generation,vendor,package,version,address in each: correct the text that it was made of, put it in by stamp --sbat, and sign the image again`;
};

/** The line that every SBAT begins with, put in by a command that was planned; else why it cannot be. */
function sbatLine(asked: Asked): string {
  const { source, file } = asked;
  const row = rowOf(SBAT_HEADER);
  if (typeof row === 'string') return row;
  const wish: PeStampWish = {
    sbat: [row],
    allowSbatDowngrade: false,
    metadata: undefined,
    members: {},
    sbom: undefined,
    sections: [],
    stripSignature: isSigned(asked),
  };
  const stripSignature = isSigned(asked) ? true : undefined;
  const fix: Fix = { kind: 'sbat', line: SBAT_HEADER, stripSignature };
  return planned(() => layOutStamped(readPe(source), wish), fix, file);
}

/** Xen reads its relocations again, and shim leaves out what is discardable. */
const relocations: Row = (asked) => {
  const { source, file } = asked;
  const dropSignature = isSigned(asked) ? true : undefined;
  const options = { ...DEFAULT_LINEAR_OPTIONS, keepReloc: true, dropSignature: dropSignature === true };
  const fix: Fix = { kind: 'linearize', mb1: false, keepReloc: true, dropSignature };
  return `lay it out with .reloc kept in memory, and sign it after this: ${planned(() => layOutLinear(readPe(source), options), fix, file)}`;
};

/** The command that makes a fix, where it can be made. */
function planned(plan: () => unknown, fix: Fix, file: string | undefined): string {
  try {
    plan();
    return fixCommand(fix, { file, loaders: [] });
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return `${error.detail}${error.hint === undefined ? '' : `; ${error.hint}`}`;
  }
}

const RELOCATABLE =
  'link it with base relocations (ld -m i386pep --enable-reloc-section) and keep .reloc in strip and objcopy: it is loaded wherever there is room';

const ROWS: Readonly<Record<string, Row>> = {
  'pe-image': peImage,
  machine: peImage,
  'relocations-stripped': () => RELOCATABLE,
  'has-relocation-directory': () => RELOCATABLE,
  subsystem: ({ verdict }) =>
    `${verdict.reason ?? 'its subsystem is none of UEFI'}: link it by ld --subsystem 10 (an EFI application)`,
  signed,
  sbat,
  'relocations-loaded': relocations,
};

/**
 * What to do where a loader of PE images refuses a file, whatever the file is; undefined for loaders of other files.
 * `file`: as a command line names it; undefined for standard input.
 */
export function efiAdvice(source: ByteSource, verdict: Verdict, file: string | undefined): string | undefined {
  if (!isOfFamily(verdict.loader, 'pe')) return undefined;
  return (ROWS[verdict.rule ?? ''] ?? said)({ source, verdict, file });
}
