import { latin1 } from './text.js';

/** The NUL-terminated string at `at`, one character a byte; empty when it starts outside. */
export function stringAt(bytes: Uint8Array, at: number): string {
  if (at >= bytes.length) return '';
  const end = bytes.indexOf(0, at);
  return latin1(bytes.subarray(at, end < 0 ? bytes.length : end));
}
