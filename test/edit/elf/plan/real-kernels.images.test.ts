/** Every real kernel is taken for a kernel, by signs wherever it shows any. */
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../../../src/base/bytes/file-source.js';
import { analyze } from '../../../../src/edit/elf/plan/analyze.js';
import { imageKind, type KindAnswer, kindWords } from '../../../../src/edit/elf/plan/image-kind.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { fixture, hypervisorPairs, realImage, realImages } from '../../../support/images.js';

/** Kernels that show nothing: nothing shows a program either. */
const SILENT: ReadonlySet<string> = new Set([
  ...['pvh32-bare', 'pvh64-bare', 'pvh64-ld-bare', 'pvh64-lld-bare', 'hvmloader'],
]);

function kindOf(path: string): KindAnswer {
  const source = FileSource.open(path);
  try {
    return imageKind(analyze(readElf(source)));
  } finally {
    source.close();
  }
}

describe('real kernels are kernels', () => {
  const own = 'mb1 mb1-fields mb1-late pv32-bare pv32-notes pv64-bare pv64-notes pvh32-bare pvh32-notes pvh64-bare';
  const rest = 'pvh64-high-bare pvh64-high-notes pvh64-ld-bare pvh64-lld-bare pvh64-notes';
  const pairs = hypervisorPairs().pairs.flatMap(({ version, xen, syms }) => [
    [`xen ${version}`, xen],
    [`xen-syms ${version}`, syms],
  ]);
  const table = [
    ...`${own} ${rest}`.split(' ').map((name) => [name, fixture(name)]),
    ...realImages()
      .filter(({ name }) => name !== 'readnotes')
      .map(({ name, path }) => [name, path]),
    ...pairs,
  ] as [name: string, path: string][];

  it.each(table)('%s', (name, path) => {
    const answer = kindOf(path);
    console.log(`${name}: ${kindWords(answer)}`);
    expect(answer.kind).toBe('kernel');
    expect(answer.by).toBe(SILENT.has(name) ? 'nothing' : 'signs');
  });

  it('sees Debian’s vmlinux by its notes and addresses', () => {
    const { signs } = kindOf(realImage('vmlinux').path);
    expect(signs.map(({ name }) => name)).toEqual(['xen-notes', 'physical-addresses', 'upper-half']);
  });
});
