/**
 * The compressors of kernel builds, from what upstream uses to the strongest that all readers take
 * (Linux scripts/Makefile.lib: cmd_xzkern, cmd_lz4, cmd_zstd22, cmd_gzip, cmd_bzip2, cmd_lzma, cmd_lzo).
 */
import type { PayloadFormat } from '../../formats/container/formats.js';

/** A program that packs a payload, with the settings to be tried. */
export interface Packer {
  readonly program: string;
  /** Tried in this order until the stream fits. All read standard input and write standard output. */
  readonly settings: readonly (readonly string[])[];
}

const XZ = ['--format=xz', '--threads=1', '--check=crc32', '--x86'];

/** The program of each payload format; a format without one cannot be packed here. */
export const PACKERS: Readonly<Partial<Record<PayloadFormat, Packer>>> = {
  gzip: { program: 'gzip', settings: [['-n', '-9', '-c']] },
  xz: {
    program: 'xz',
    settings: [
      [...XZ, '--lzma2=dict=32MiB', '-c'],
      [...XZ, '--lzma2=preset=9e,dict=32MiB', '-c'],
      [...XZ, '--lzma2=preset=9e,dict=32MiB,mf=bt3', '-c'],
      // Shorter matches suit the relocation table.
      [...XZ, '--lzma2=preset=9e,dict=32MiB,mf=bt2,nice=273,depth=1000', '-c'],
    ],
  },
  zstd: {
    program: 'zstd',
    settings: [
      ['-22', '--ultra', '-T1', '-c', '-q'],
      ['-22', '--ultra', '-T1', '--zstd=targetLength=999,searchLog=30,overlapLog=9', '-c', '-q'],
    ],
  },
  lz4: {
    program: 'lz4',
    settings: [
      ['-l', '-9', '-c', '-q'],
      ['-l', '-12', '-c', '-q'],
    ],
  },
  lzma: {
    program: 'xz',
    settings: [
      ['--format=lzma', '--threads=1', '-9', '-c'],
      ['--format=lzma', '--threads=1', '-9e', '-c'],
    ],
  },
  bzip2: { program: 'bzip2', settings: [['-9', '-c']] },
  lzo: { program: 'lzop', settings: [['-9', '-c']] },
};
