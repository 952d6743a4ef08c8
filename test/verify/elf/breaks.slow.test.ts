import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { CHECKS } from '../../../src/verify/elf/checks.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import type { Expectation, VerifyInput } from '../../../src/verify/finding.js';
import { type Edit, goodEdit, goodImage, imageOf } from '../../support/good-edit.js';
import { ELF_BREAKS } from '../breaks/elf.js';

function inputOf(edit: Edit, changed: Partial<Expectation> | undefined): VerifyInput {
  return {
    image: imageOf(edit.after),
    baseline: imageOf(edit.before),
    expectation: { ...edit.expectation, ...changed },
  };
}

function checksOf(input: VerifyInput, level?: 'error' | 'warning'): string[] {
  const findings = verifyImage(input).filter((f) => level === undefined || f.level === level);
  return [...new Set(findings.map((f) => f.check))].sort();
}

describe.each(ENCODINGS)('verifyImage(), ELF$bits $endian', (encoding) => {
  it('has nothing to say about a good image and a good edit', () => {
    expect(verifyImage({ image: imageOf(goodImage(encoding)) })).toEqual([]);
    const edit = goodEdit(encoding);
    expect(verifyImage({ image: imageOf(edit.after) })).toEqual([]);
    expect(verifyImage({ image: imageOf(edit.after), baseline: imageOf(edit.before) })).toEqual([]);
    expect(verifyImage(inputOf(edit, undefined))).toEqual([]);
  });

  const rows = Object.entries(ELF_BREAKS).flatMap(([check, breaks]) => breaks.map((broken) => ({ check, ...broken })));
  const applicable = rows.filter(
    ({ only }) =>
      (only?.bits ?? encoding.bits) === encoding.bits && (only?.endian ?? encoding.endian) === encoding.endian,
  );
  it.each(applicable)('$check notices: $what', ({ check, level = 'error', also = [], image, edit: spoilt }) => {
    let input: VerifyInput;
    if (image !== undefined) {
      const bytes = goodImage(encoding);
      const damaged = image(bytes, encoding);
      input = { image: damaged ?? imageOf(bytes) };
    } else {
      const edit = goodEdit(encoding);
      const changed = spoilt?.(edit);
      input = inputOf(edit, changed);
    }
    const findings = verifyImage(input);
    expect(checksOf(input)).toEqual([check, ...also].sort());
    expect(findings.filter((f) => f.check === check).map((f) => f.level)).toContain(level);
  });
});

describe('file-mode', () => {
  it('notices an executable that is none any more', () => {
    const folder = mkdtempSync(join(tmpdir(), 'verify-'));
    const edit = goodEdit({ bits: 64, endian: 'little' });
    const open = (name: string, bytes: Uint8Array, mode: number): FileSource => {
      writeFileSync(join(folder, name), bytes);
      chmodSync(join(folder, name), mode);
      return FileSource.open(join(folder, name));
    };
    const before = open('before', edit.before, 0o755);
    const same = open('same', edit.after, 0o755);
    const other = open('other', edit.after, 0o644);
    try {
      const { expectation } = edit;
      expect(verifyImage({ image: readElf(same), baseline: readElf(before), expectation })).toEqual([]);
      expect(verifyImage({ image: readElf(other), baseline: readElf(before), expectation })).toMatchObject([
        { check: 'file-mode', level: 'error', text: 'mode is 0644, wanted 0755 as before' },
      ]);
    } finally {
      for (const source of [before, same, other]) source.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('CHECKS', () => {
  it('holds every invariant that two files can show', () => {
    const held = new Set(CHECKS.map(({ invariant }) => invariant));
    expect([...held].sort((a, b) => a - b)).toEqual(Array.from({ length: 33 }, (_, i) => i + 1));
  });
});
