/** What we say of an image and what Xen's own code says of it, in the same terms, side by side. */
import { BufferSource } from '../../src/base/bytes/source.js';
import { firstEnd, type Remark } from '../../src/loaders/rule.js';
import type { PaeMode } from '../../src/loaders/xen/parameters.js';
import { type Container, XenParse } from '../../src/loaders/xen/parse.js';
import { INIT_RULES, PARSE_RULES } from '../../src/loaders/xen/parser-rules.js';
import { xenPv, xenPvh } from '../../src/loaders/xen/toolstack.js';
import { isSince, type XenVersion } from '../../src/loaders/xen-version.js';
import { type Answer, textOf, type XenOracle } from './programs.js';

const UNSET = (1n << 64n) - 1n;

const PAE: Readonly<Record<PaeMode, string>> = { none: '0', yes: '1', 'extended-cr3': '2', bimodal: '3' };

/** What we say of an image, in the oracle's terms; undefined members are not compared. */
function ours(bytes: Uint8Array, container: Container, version: XenVersion): Record<string, string> {
  const name = container;
  const parse = new XenParse(new BufferSource(bytes), container, { xenVersion: version });
  if (firstEnd(INIT_RULES, parse, version) !== undefined) return { [name]: 'init' };
  const end: Remark | undefined = firstEnd(PARSE_RULES, parse, version);
  const said = end?.message.startsWith('(') ? '' : (end?.message ?? '');
  const result: Record<string, string> = {
    [name]: end === undefined ? 'accepted' : 'refused',
    [`${name}.error`]: said,
  };
  const given = parse.parameters;
  const number = (value: bigint | undefined) => (value ?? UNSET).toString(16);
  Object.assign(result, {
    [`${name}.pae`]: PAE[given.pae],
    [`${name}.bsd`]: given.bsdSymtab ? '1' : '0',
    [`${name}.initrd`]: given.unmappedInitrd ? '1' : '0',
    [`${name}.page`]: number(given.hypercallPage),
    [`${name}.low`]: number(given.hvStartLow),
    [`${name}.p2m`]: number(given.initP2m),
    [`${name}.supported`]: given.supported.toString(16),
    [`${name}.required`]: given.required.toString(16),
    [`${name}.phys`]: (given.physEntry ?? 0xffffffffn).toString(16),
    [`${name}.os`]: given.guestOs,
    [`${name}.ver`]: given.guestVersion,
    [`${name}.xen`]: given.xenVersion,
    [`${name}.loader`]: given.loader,
  });
  if (isSince(version, '4.19')) result[`${name}.reloc`] = reloc(given.reloc);
  // The symbol table is looked for once the addresses are.
  if (end === undefined || !given.bsdSymtab) result[`${name}.broken`] = parse.broken ?? '';
  // Worked out only once the gate is passed.
  if (end === undefined || end.message.includes('out of bounds')) {
    const { virtBase, paddrOffset, kstart, kend, entry } = parse.addresses;
    Object.assign(result, {
      [`${name}.base`]: virtBase.toString(16),
      [`${name}.offset`]: paddrOffset.toString(16),
      [`${name}.kstart`]: kstart.toString(16),
      [`${name}.kend`]: kend.toString(16),
      [`${name}.entry`]: entry.toString(16),
    });
  }
  return result;
}

/** PHYS32_RELOC in the parser's terms: alignment (all ones: none given), least and greatest address. */
function reloc(words: readonly bigint[] | undefined): string {
  const [align, min, max] = words ?? [];
  return [align ?? 0xffff_ffffn, min ?? 0n, max ?? 0xffff_ffffn].map((word) => word.toString(16)).join();
}

const TEXTS = /\.(os|ver|xen|loader|broken|by|type)$/;

function theirs(answer: Answer, names: readonly string[]): Record<string, string> {
  const value = (name: string) => {
    // A message ends with a line feed, where others may stand in what it quotes.
    if (name.endsWith('.error')) return textOf(answer, name).replace(/\n$/, '');
    return TEXTS.test(name) ? textOf(answer, name) : (answer.get(name) ?? '');
  };
  return Object.fromEntries(names.map((name) => [name, value(name)]));
}

/** The toolstack as a whole. */
function dom(bytes: Uint8Array, container: Container, version: XenVersion): Record<string, string> {
  const name = `dom${container}`;
  const judge = container === 'pv' ? xenPv : xenPvh;
  const verdict = judge.judge(new BufferSource(bytes), { xenVersion: version });
  // The oracle stops where memory would be laid out.
  const late = ['start-page-aligned', 'in-memory', 'no-auto-translation'].includes(verdict.rule ?? '');
  // A guest that is lost was built.
  const built = verdict.values['entry'] !== undefined;
  const firmware = verdict.outcome === 'other-path' && verdict.rule === 'not-firmware';
  const accepted = built || firmware || late;
  if (verdict.outcome === 'other-path' && !firmware) return {};
  if (!accepted) return { [name]: 'refused', [`${name}.error`]: verdict.message ?? '' };
  if (firmware || late) return { [name]: 'accepted' };
  const { guestType, virtKstart, virtKend } = verdict.values;
  return {
    [name]: 'accepted',
    [`${name}.by`]: 'ELF-generic',
    [`${name}.type`]: String(guestType),
    [`${name}.start`]: (virtKstart as bigint).toString(16),
    [`${name}.end`]: (virtKend as bigint).toString(16),
  };
}

/** How many images ended how, and those about which we differ. */
export interface Comparison {
  readonly counts: ReadonlyMap<string, number>;
  readonly different: readonly object[];
}

/** Compares all images. `toolstack`: the domain builder is asked as well. */
export function compareWithXen(
  oracle: XenOracle,
  images: readonly Uint8Array[],
  names: (index: number) => string,
  { version, toolstack }: { readonly version: XenVersion; readonly toolstack: boolean },
): Comparison {
  const answers = oracle.ask(images);
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const different: object[] = [];
  for (const [index, bytes] of images.entries()) {
    const answer = answers[index];
    if (answer === undefined) throw new Error('no answer');
    for (const container of ['pv', 'hvm'] as const) {
      const parsed = ours(bytes, container, version);
      count(`${container} ${parsed[container]}`);
      const built = toolstack ? dom(bytes, container, version) : undefined;
      if (built !== undefined) count(`dom${container} ${built[`dom${container}`] ?? 'other-path'}`);
      for (const said of built === undefined ? [parsed] : [parsed, built]) {
        const heard = theirs(answer, Object.keys(said));
        // The builder's error has its file and line in front.
        for (const key of Object.keys(heard)) {
          if (key.startsWith('dom') && key.endsWith('.error') && (heard[key] ?? '').includes(said[key] ?? '')) {
            heard[key] = said[key] ?? '';
          }
        }
        if (JSON.stringify(said) !== JSON.stringify(heard)) {
          const keys = Object.keys(said).filter((key) => said[key] !== heard[key]);
          const pick = (from: Record<string, string>) => Object.fromEntries(keys.map((key) => [key, from[key]]));
          different.push({ image: names(index), ours: pick(said), xen: pick(heard) });
        }
      }
      if (answer.has('died')) different.push({ image: names(index), died: answer.get('died') });
    }
  }
  return { counts, different };
}
