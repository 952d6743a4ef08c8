/** UEFI firmware: EDK2's loader of PE images. */
import { fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { DataDirectory, OptionalHeader, PE, SECTION_ENTRY } from '../../formats/pe/headers.js';
import { directory, memoryRange, sectionTable } from '../../formats/pe/image.js';
import { DIRECTORY_SECURITY, peMachineName } from '../../formats/pe/names.js';
import { type Loader, loader, type Remark, type Rule, refuse, warn } from '../rule.js';
import { EfiView } from './efi-view.js';

const HEADERS = 'MdePkg/Library/BasePeCoffLib/BasePeCoff.c, PeCoffLoaderGetPeHeader';
const LOAD = 'MdePkg/Library/BasePeCoffLib/BasePeCoff.c, PeCoffLoaderLoadImage';
const DXE = 'MdeModulePkg/Core/Dxe/Image/Image.c, CoreLoadPeImage';
const VERIFY = 'SecurityPkg/Library/DxeImageVerificationLib/DxeImageVerificationLib.c';

const UNSUPPORTED = 'Unsupported';
const LOAD_ERROR = 'Load Error';
const MOST_DIRECTORIES = 16;
const U32 = 0x1_0000_0000n;
/** Application, boot service driver, runtime driver; a SAL driver is for Itanium. */
const SUBSYSTEMS: readonly number[] = [10, 11, 12];

const no = (reason: string): Remark => refuse(UNSUPPORTED, { reason });

type R = Rule<EfiView>;

const RULES: readonly R[] = [
  {
    name: 'pe-image',
    source: HEADERS,
    because: 'firmware starts PE images and nothing else',
    run({ headers, isMz }) {
      if (headers !== undefined) return undefined;
      return no(isMz ? 'the DOS header leads to no PE header' : 'it is no PE image');
    },
  },
  {
    name: 'machine',
    source: `${HEADERS}; ${DXE}`,
    because: 'only images of the own machine are run',
    run(view) {
      const { headers } = view;
      if (headers === undefined || view.isForThisMachine) return undefined;
      const magic = headers.optionalHeader?.Magic;
      return no(
        `it is for ${peMachineName(headers.fileHeader.Machine)}${magic === undefined ? '' : `, optional header ${hex(magic)}`}, wanted x86-64 and PE32+`,
      );
    },
  },
  {
    name: 'directories',
    source: HEADERS,
    because: 'the optional header ends where its directories end, of which there are at most 16',
    run({ headers }) {
      if (headers?.optionalHeader === undefined) return undefined;
      const { NumberOfRvaAndSizes: count } = headers.optionalHeader;
      if (count > MOST_DIRECTORIES) return no(`NumberOfRvaAndSizes is ${count}, wanted at most ${MOST_DIRECTORIES}`);
      const { SizeOfOptionalHeader: size } = headers.fileHeader;
      const wanted = OptionalHeader.size(PE) + count * DataDirectory.size(PE);
      return size === wanted
        ? undefined
        : no(`SizeOfOptionalHeader is ${hex(size)}, wanted ${hex(wanted)} for ${count} directories`);
    },
  },
  {
    name: 'size-of-headers',
    source: HEADERS,
    because: 'the last byte of the headers is read before anything is loaded',
    run({ headers, source }) {
      const size = headers?.optionalHeader?.SizeOfHeaders;
      if (size === undefined || (size > 0n && size <= source.size)) return undefined;
      return no(`SizeOfHeaders is ${hex(size)}, the file has ${hex(source.size)}`);
    },
  },
  {
    name: 'certificate-table',
    source: HEADERS,
    because: 'the last byte of the certificate table is read, signed or not',
    run({ headers, source }) {
      const table = headers === undefined ? undefined : directory(headers, DIRECTORY_SECURITY);
      if (table === undefined || fits(table.VirtualAddress, table.Size, source.size)) return undefined;
      return no(
        `the certificate table at ${hex(table.VirtualAddress)} leaves the file, which ends at ${hex(source.size)}`,
      );
    },
  },
  {
    name: 'section-table',
    source: HEADERS,
    because: 'every section header is read from the file',
    run({ headers, source }) {
      if (headers === undefined) return undefined;
      const { start, end } = sectionTable(headers);
      if (fits(start, end - start, source.size)) return undefined;
      return no(`${headers.fileHeader.NumberOfSections} section headers of ${SECTION_ENTRY} bytes leave the file`);
    },
  },
  {
    name: 'sections-in-file',
    source: HEADERS,
    because: 'the last byte of the data of every section is read',
    run({ sections, source }) {
      const bad = sections.find(
        ({ PointerToRawData, SizeOfRawData }) =>
          SizeOfRawData > 0n &&
          (PointerToRawData + SizeOfRawData >= U32 || !fits(PointerToRawData, SizeOfRawData, source.size)),
      );
      return bad === undefined ? undefined : no(`the data of section ${bad.name} leave the file`);
    },
  },
  {
    name: 'subsystem',
    source: DXE,
    because: 'applications and drivers of UEFI are run',
    run({ headers }) {
      const subsystem = headers?.optionalHeader?.Subsystem;
      if (subsystem === undefined || SUBSYSTEMS.includes(subsystem)) return undefined;
      return no(`Subsystem is ${subsystem}, wanted ${SUBSYSTEMS.join(', ')}`);
    },
  },
  {
    name: 'sections-in-image',
    source: LOAD,
    because: 'memory is taken by SizeOfImage',
    run({ headers, sections }) {
      const size = headers?.optionalHeader?.SizeOfImage ?? 0n;
      const bad = sections.find((s) => (s.VirtualSize > 0n || s.SizeOfRawData > 0n) && memoryRange(s).end > size);
      if (bad === undefined) return undefined;
      const reason = `section ${bad.name} ends at RVA ${hex(memoryRange(bad).end)}, SizeOfImage is ${hex(size)}`;
      return refuse(LOAD_ERROR, { reason });
    },
  },
  {
    name: 'secure-boot',
    source: VERIFY,
    because: 'with Secure Boot on, firmware runs what is signed by a key that it knows, and as it was signed',
    run(view) {
      const say = (what: string) => warn(`with Secure Boot on: Access Denied, ${what}`);
      if (!view.isSigned) return say('the image is not signed');
      return view.signature === 'of other bytes' ? say('it is not the image that was signed') : undefined;
    },
  },
];

/** UEFI firmware. */
export const uefi: Loader = loader<EfiView>({
  name: 'uefi',
  open: (source) => new EfiView(source),
  rules: RULES,
  values: valuesOf,
});

/** What a program that starts PE images goes by. */
export function valuesOf(view: EfiView): Readonly<Record<string, bigint | string | undefined>> {
  const header = view.headers?.optionalHeader;
  return {
    entry: header?.AddressOfEntryPoint,
    imageBase: header?.ImageBase,
    signature: view.signature,
  };
}
