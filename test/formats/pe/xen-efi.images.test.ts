/** What readPe() finds in Debian's xen.efi. */
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { debugEntries, peBuildId } from '../../../src/formats/pe/debug.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { symbolsNamed } from '../../../src/formats/pe/symbols.js';
import { realImage } from '../../support/images.js';

describe('readPe()', () => {
  it("reads Debian's xen.efi: build-id, debug entry, symbols", () => {
    const source = FileSource.open(realImage('xen-efi').path);
    try {
      const image = readPe(source);
      expect(peBuildId(image)?.length).toBe(16);
      expect(debugEntries(image)).toHaveLength(1);
      expect([...symbolsNamed(image, '__efi64_mb2_start')]).toHaveLength(1);
    } finally {
      source.close();
    }
  });
});
