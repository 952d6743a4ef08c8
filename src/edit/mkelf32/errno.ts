/** System errors in the words of glibc's strerror(), as the original prints them; Node has libuv's words only. */
import { getSystemErrorMap } from 'node:util';

const STRERROR: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  EIO: 'Input/output error',
  ENXIO: 'No such device or address',
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  ENODEV: 'No such device',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
  ETXTBSY: 'Text file busy',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EPIPE: 'Broken pipe',
  ENAMETOOLONG: 'File name too long',
  ELOOP: 'Too many levels of symbolic links',
  EDQUOT: 'Disk quota exceeded',
};

/** An error of the system, in the words of glibc's strerror(). */
export interface SystemWords {
  /** Positive, as C has it. */
  readonly errno: number;
  readonly words: string;
}

/** The number and the words of an error that came from the system; undefined for any other. */
export function systemWords(error: unknown): SystemWords | undefined {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return undefined;
  const [name = '', text = 'Unknown error'] = getSystemErrorMap().get(error.errno) ?? [];
  return { errno: Math.abs(error.errno), words: STRERROR[name] ?? text };
}
