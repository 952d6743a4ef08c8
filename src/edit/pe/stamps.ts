/** The stamps that a PE image holds, as shim, systemd and fwupd would find them. */
import type { PeImage } from '../../formats/pe/image.js';
import {
  PACKAGE_SECTION,
  SBAT_SECTION,
  SBOM_SECTION,
  sectionCalled,
  sectionContent,
} from '../../formats/pe/metadata-sections.js';
import { readSbat, type SbatRow } from '../../formats/pe/sbat.js';
import { uswidProblem } from '../../formats/pe/uswid.js';
import { descriptorProblem, metadataText } from '../stamp/package-metadata.js';

/** What is there; undefined for a section that is not. */
export interface PeStamps {
  /** The lines up to the first that is wrong. */
  readonly sbat: readonly SbatRow[] | undefined;
  /** The JSON text. */
  readonly metadata: string | undefined;
  /** Bytes of the container. */
  readonly sbom: number | undefined;
  /** What is wrong with them, each with the section's name. */
  readonly problems: readonly string[];
}

/** The stamps of an image, and what is wrong with them. Errors: `read.truncated` for a section that leaves the file. */
export function peStampsOf(image: PeImage): PeStamps {
  const problems: string[] = [];
  const content = (name: string) => {
    const section = sectionCalled(image, name);
    if (section === undefined) return undefined;
    const bytes = sectionContent(image, section);
    if (bytes === undefined) problems.push(`section ${name} has no data, or more than 16 MiB of it`);
    return bytes;
  };
  const tell = (name: string, why: string | undefined) => {
    if (why !== undefined) problems.push(`section ${name}: ${why}`);
  };
  const sbat = content(SBAT_SECTION);
  const read = sbat === undefined ? undefined : readSbat(sbat);
  if (read?.problem !== undefined) tell(SBAT_SECTION, `line ${read.problem.line}: ${read.problem.why}`);
  const metadata = content(PACKAGE_SECTION);
  if (metadata !== undefined) tell(PACKAGE_SECTION, descriptorProblem(metadata));
  const sbom = content(SBOM_SECTION);
  if (sbom !== undefined) tell(SBOM_SECTION, uswidProblem(sbom));
  return {
    sbat: read?.rows,
    metadata: metadata === undefined ? undefined : (metadataText(metadata) ?? ''),
    sbom: sbom?.length,
    problems,
  };
}
