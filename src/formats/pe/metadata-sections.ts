/**
 * Sections of a PE image that say what it is, and that no code of it reads: shim and the firmware's tools find them by
 * name. What they hold is a file's own business; here are their names and how their bytes are read.
 */
import { copiedSize, hasRawData, type PeImage, type PeSection } from './image.js';

/** SBAT, what shim compares with the revoked generations (shim, SBAT.md). */
export const SBAT_SECTION = '.sbat';
/** Package metadata, one JSON object with a NUL behind it (UAPI.8, "Package Metadata for Executable Files"). */
export const PACKAGE_SECTION = '.pkgnote';
/** A software bill of materials in a uSWID container, which fwupd's tools read. */
export const SBOM_SECTION = '.sbom';

/** All of them. */
export const METADATA_SECTIONS: readonly string[] = [SBAT_SECTION, PACKAGE_SECTION, SBOM_SECTION];

/** Larger ones are not held in memory; real ones have some hundred bytes, a bill of materials some thousand. */
const LARGEST = 0x1000000n;

/** The first section of a name, which is the one that shim and systemd take. */
export function sectionCalled({ sections }: Pick<PeImage, 'sections'>, name: string): PeSection | undefined {
  return sections.find((section) => section.name === name);
}

/**
 * What a section holds: its bytes in memory as far as the file has them. Undefined without data, and where it is larger
 * than 16 MiB. Errors: `read.truncated`.
 */
export function sectionContent({ source }: Pick<PeImage, 'source'>, section: PeSection): Uint8Array | undefined {
  const size = copiedSize(section);
  if (!hasRawData(section) || size > LARGEST) return undefined;
  return source.read(section.PointerToRawData, size, `section ${section.name}`);
}
