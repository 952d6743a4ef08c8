import { problem } from '../problem.js';

/** Refusals of `stamp`. */
export const stampProblems = {
  'stamp.bad-metadata': problem<{ why: string }>({
    exit: 2,
    text: (c) => `the package metadata break the convention: ${c.why}`,
    hint: 'UAPI.8, Package Metadata for Executable Files, has the rules',
    meaning:
      'Package metadata are one JSON object in UTF-8: each key once, no control characters, no \\u escapes, numbers of at ' +
      'most 53 bits, and strings for the keys that the convention names (type, os, osVersion, name, version, architecture, ' +
      'osCpe, appCpe, debugInfoUrl). Other keys are free.',
  }),
  'stamp.bad-note': problem<{ found: string; wanted: string }>({
    exit: 2,
    text: (c) => `found ${c.found}, wanted ${c.wanted}`,
    hint: '--note Vendor:1=text, --note Vendor:0x20/4=7, --note Vendor:2=hex:00ff, --note Vendor:3=file:PATH',
    meaning:
      'A note is known by its owner and its type, a number of 32 bits. Its value is text with a NUL behind it, bytes in ' +
      'hexadecimal, the bytes of a file, or a number when a width stands behind the type.',
  }),
  'stamp.bad-build-id': problem<{ found: string; hint?: string | undefined }>({
    exit: 2,
    text: (c) => `the build-id is ${c.found}, wanted keep, sha1, sha256 or at least 2 bytes in hexadecimal`,
    hint: (c) => c.hint ?? 'Two digits a byte, at most 64 bytes: --build-id 0011aabb',
    meaning:
      'keep demands that there is one; sha1 and sha256 compute it from what a loader puts into memory, notes and headers ' +
      'left out; hexadecimal digits are taken as they are.',
  }),
  'stamp.no-build-id': problem<Record<never, never>>({
    exit: 1,
    text: () => 'found no build-id, --build-id keep wants one',
    hint: '--build-id sha1 computes one; ld --build-id writes one when linking',
    meaning: 'Debug information is found by the build-id, a note of owner GNU and type 3.',
  }),
  'stamp.loses-loader': problem<{ loader: string; message: string }>({
    exit: 2,
    text: (c) => `with these stamps ${c.loader} would not take the image any more: ${c.message}`,
    hint: 'Another --placement may do; patch does not mind losing a loader',
    meaning:
      'A stamp says where an image came from. It is not written where a loader that took the image would stop doing so.',
  }),
  'stamp.no-date': problem<{ found: string }>({
    exit: 2,
    text: (c) => `a date was asked for and SOURCE_DATE_EPOCH ${c.found}, wanted seconds since 1970`,
    hint: 'SOURCE_DATE_EPOCH=$(git log -1 --pretty=%ct) makes it the date of the commit',
    meaning:
      'The clock is never read: the same input and options give the same bytes. A date is what the build environment says ' +
      'through SOURCE_DATE_EPOCH.',
  }),
  'stamp.too-much': problem<{ times: number }>({
    exit: 2,
    text: (c) => `the PT_LOADs together hold more than ${c.times} times the bytes of the file`,
    meaning:
      'A build-id is computed from the bytes of every PT_LOAD; thousands of them over the same bytes are no program.',
  }),
} as const;
