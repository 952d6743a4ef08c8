/**
 * The answers of real loaders in fixtures/vectors, image by image. A verdict that differs is a line of the failure; what
 * cannot be compared is named here with its reason, and has to stay as rare as it is.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { hex } from '../../src/base/errors/hex.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { lenientElf } from '../../src/loaders/read/lenient-elf.js';
import { physEntryAsLinuxLoader } from '../../src/loaders/read/phys-entry.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';

const folder = mkdtempSync(join(tmpdir(), 'recorded-'));
const [head = '', ...lines] = readFileSync('fixtures/vectors/loader-answers.tsv', 'utf8').trimEnd().split('\n');
const columns = head.split('\t');
const rows = lines.map((line) => line.split('\t'));

beforeAll(() => {
  execFileSync('tar', ['-xJf', 'fixtures/vectors/loader-answers.tar.xz', '-C', folder]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The images that this loader was asked about, with its answer and that of the column behind it. */
function asked(column: string): { readonly name: string; readonly said: string; readonly next: string }[] {
  const at = columns.findIndex((name) => name.startsWith(column));
  if (at < 0) throw new Error(`no column ${column}`);
  const all = rows.map((row) => ({ name: row[0] ?? '', said: row[at] ?? '', next: row[at + 1] ?? '' }));
  return all.filter(({ said }) => said !== '');
}

const image = (name: string): BufferSource => new BufferSource(readFileSync(join(folder, name)), name);

function judge(name: string, loader: string, memory?: bigint): Verdict {
  const [verdict] = judgeLoaders(image(name), { names: [loader], memory });
  if (verdict === undefined) throw new Error(`no loader ${loader}`);
  return verdict;
}

/** Is it loaded and entered? What became of the guest then nobody was asked. */
const isEntered = (verdict: Verdict): boolean => verdict.values['entry'] !== undefined;

const entryOf = ({ values }: Verdict): string => {
  const { entry } = values;
  return typeof entry === 'bigint' ? hex(entry) : String(entry);
};

/** Images by name on which both do not agree. */
function differences(
  column: string,
  gaps: Readonly<Record<string, string>>,
  differs: (each: { readonly name: string; readonly said: string; readonly next: string }) => string | undefined,
): string[] {
  const all = asked(column).flatMap((each) => {
    const ours = differs(each);
    return ours === undefined ? [] : [{ ...each, ours }];
  });
  // A gap that has closed must be taken off its list.
  expect(all.filter(({ name }) => name in gaps).map(({ name }) => name)).toEqual(Object.keys(gaps).sort());
  return all.filter(({ name }) => !(name in gaps)).map(({ name, said, ours }) => `${name}: ${said} | ours: ${ours}`);
}

describe('linux-loader 0.14', () => {
  /** 0 to 0xd0000000, and 4 to 5 GiB. */
  const MEMORY = 0x1_1000_0000n;
  const GAPS = {
    '03462': 'p_offset 2^52: the file system that held the file, not the loader, drew the line for a seek',
  };

  it.each(['firecracker', 'cloud-hypervisor', 'libkrun'])(
    'agrees with %s on every image: the entry, or the message',
    (vmm) => {
      expect(asked('linux-loader 0.14').length).toBeGreaterThan(900);
      const wrong = differences('linux-loader 0.14', GAPS, ({ name, said, next }) => {
        const verdict = judge(name, vmm, MEMORY);
        // The library was given a bound of 1 MiB, which libkrun does not give it.
        if (vmm === 'libkrun' && said === 'ERR Invalid entry address') {
          return verdict.message === 'Invalid entry address' ? verdict.message : undefined;
        }
        const { rule, message = '', reason = '' } = verdict;
        const ours = isEntered(verdict)
          ? `PVH ${entryOf(verdict)}`
          : rule !== 'pvh-entry'
            ? `ERR ${message}`
            : `${message} ${reason}`.includes('there is no PT_NOTE')
              ? 'IGNORED'
              : 'NOPVH';
        return ours === (said === 'PVH' ? `PVH ${next}` : said) ? undefined : ours;
      });
      expect(wrong).toEqual([]);
    },
  );
});

describe('linux-loader 0.8.1', () => {
  it('finds the same entry on every image that it could load, stepping by p_align', () => {
    const encoding = { bits: 64, endian: 'little' } as const;
    const wrong = asked('linux-loader 0.8.1').flatMap(({ name, said }) => {
      const seen = lenientElf(image(name), encoding, { stride: 'own-size', sections: false });
      const entry = physEntryAsLinuxLoader(seen, 'p_align');
      // ERR can be for anything in the file; that the notes alone give no reason is no difference.
      if (said.startsWith('ERR')) return [];
      const ours = entry.problem ?? (entry.found ? `PVH ${hex(entry.value)}` : 'NOPVH');
      return ours === (said === 'IGNORED' ? 'NOPVH' : said) ? [] : [`${name}: ${said} | ours: ${ours}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe.each(['7.2', '10.0', '11.1'])('qemu %s', (version) => {
  /** By the releases that differ from the verdict. */
  const ALL: Readonly<Record<string, readonly [releases: string, reason: string]>> = {
    '00118': ['10.0', 'reads behind the end of the file, and luck decides; the verdict warns'],
    '01393': ['7.2 10.0 11.1', 'QEMU did not end in time over 2 GiB of zeros'],
    '01539': ['10.0', 'reads behind the end of the file, and luck decides; the reason says so'],
    '01567': ['10.0 11.1', 'reads in front of the file, and luck decides; the verdict says so'],
    '03705': ['7.2', 'no ELF: taken for an ancient boot sector, of which nothing is promised'],
    '04850': ['7.2 10.0 11.1', 'loaded as a Linux boot image'],
  };
  const gaps = Object.fromEntries(
    Object.entries(ALL).flatMap(([name, [releases, reason]]) =>
      releases.split(' ').includes(version) ? [[name, reason]] : [],
    ),
  );

  it('agrees on every image: the entry, the message, or that it dies', () => {
    expect(asked(`qemu ${version}`).length).toBeGreaterThan(200);
    const wrong = differences(`qemu ${version}`, gaps, ({ name, said }) => {
      const verdict = judge(name, `qemu-pvh@${version}`);
      const { outcome, message = '' } = verdict;
      const byMultiboot = /entered at (0x[0-9a-f]+)/.exec(message)?.[1];
      const ours = isEntered(verdict)
        ? `LOADED ${entryOf(verdict)}`
        : outcome === 'crash'
          ? 'RC'
          : byMultiboot === undefined
            ? `REFUSED ${message}`
            : `LOADED ${byMultiboot}`;
      const theirs = said
        .replace(/^REFUSED [^ ]*: /, 'REFUSED ')
        .replace(/ROM regions are overlapping.*/, 'ROM regions are overlapping');
      return theirs === ours || (ours === 'RC' && theirs.startsWith('RC')) ? undefined : ours;
    });
    expect(wrong).toEqual([]);
  });
});

describe('kexec-tools 2.0.32', () => {
  const GAPS = {
    '03435': 'kexec did not end in time over 4 GiB of zeros',
    '04401': 'kexec did not end in time over 1 GiB of zeros',
  };
  /** What comes before an address; a shared object is moved first, so the address is not that of the file. */
  const kind = (message: string): string => message.split('0x')[0] ?? '';

  it('agrees on every image, but for what depends on the memory of the machine that was asked', () => {
    expect(asked('kexec-tools').length).toBeGreaterThan(300);
    const wrong = differences('kexec-tools', GAPS, ({ name, said }) => {
      const verdict = judge(name, 'kexec');
      const { outcome, message = '', warnings } = verdict;
      if (said.includes('Invalid memory s')) {
        const told =
          message.startsWith('Invalid memory segment') || warnings.some(({ rule }) => rule === 'pages-of-memory');
        return told ? undefined : `${outcome} ${message}`;
      }
      // It takes what it enters where nothing was loaded, and ends before it would.
      const same =
        accepts(verdict) || verdict.rule === 'entry-in-a-segment'
          ? said === 'ACCEPT'
          : outcome === 'crash'
            ? said === 'SIG11'
            : said.startsWith('REFUSE') && (said.includes(kind(message)) || said.endsWith('Base address: 0x'));
      return same ? undefined : `${outcome} ${message}`;
    });
    expect(wrong).toEqual([]);
  });
});

describe('grub-file 2.14', () => {
  const GAPS = { '03747': 'GRUB reads program headers behind its buffer, and luck decides what stands there' };
  const questions = [
    ['is-x86_64-xen-domu', 0],
    ['is-x86-multiboot', 2],
    ['is-x86-multiboot2', 3],
  ] as const;

  it.each(questions)('agrees on every image: %s', (question, at) => {
    const wrong = differences('grub-file', at === 0 ? GAPS : {}, ({ name, said }) => {
      const yes = said.split(' ')[at] === '0';
      if (question === 'is-x86_64-xen-domu') {
        const verdict = judge(name, 'grub-xen');
        // grub-file does not go on to look at VIRT_BASE.
        if (verdict.rule === 'virt-base-page-aligned') return undefined;
        const ours = accepts(verdict) && verdict.values['arch'] === 'x86_64';
        return ours === yes ? undefined : `${verdict.outcome} ${verdict.message}`;
      }
      const { message } = judge(name, at === 2 ? 'grub-multiboot' : 'grub-multiboot2');
      return (message !== 'no multiboot header found') === yes ? undefined : `${message}`;
    });
    expect(wrong).toEqual([]);
  });
});
