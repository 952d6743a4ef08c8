/**
 * What a loader is, here: rules in the loader's own order, each with the place in the loader's source that it follows, and
 * the values it would go by. A verdict is the walk through those rules up to the first that ends the load.
 */

import type { ByteSource } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { PatchError } from '../base/errors/patch-error.js';
import type { Fix } from '../formats/note/fix.js';
import { type LoaderName, loaderRow } from './names.js';
import { newestVersion, type Product, resolveVersion, type Span, spans, spanText } from './versions.js';
import type { XenVersion } from './xen-version.js';

/** What a rule has to say when it does not simply hold. */
export type Remark =
  /** The load ends here. */
  | {
      readonly kind: 'refuse';
      /** What the loader prints, in its words. */
      readonly message: string;
      /** What it keeps to itself, where the message does not tell. */
      readonly reason?: string | undefined;
      /** What mends it. */
      readonly cure?: Fix | undefined;
      /** The least memory, in bytes, with which it would not refuse. */
      readonly needs?: bigint | undefined;
    }
  /** The loader itself dies, or what it starts: `lost`. */
  | {
      readonly kind: 'crash';
      readonly message: string;
      readonly cure?: Fix | undefined;
      readonly needs?: bigint | undefined;
      /** The image is loaded and entered, and the guest is lost. */
      readonly lost?: true;
    }
  /** The image is loaded in another way: these rules and the notes play no part. */
  | { readonly kind: 'other-path'; readonly message: string; readonly cure?: Fix | undefined }
  /** Accepted, and yet: it works by accident, or what is loaded is not what stands in the file. */
  | { readonly kind: 'warn'; readonly message: string; readonly cure?: Fix | undefined };

/** One thing that a loader looks at. */
export interface Rule<View> extends Span {
  readonly name: string;
  /** File and function of the loader. */
  readonly source: string;
  /** Why the loader has the rule, or what goes wrong without it. */
  readonly because: string;
  run(view: View): Remark | readonly Remark[] | undefined;
}

/** What a value can be; a bigint is an address, an offset or a size. */
export type Value = bigint | string | number | boolean | readonly string[] | undefined;

/** What a verdict depends on besides the image. */
export interface Options {
  readonly xenVersion: XenVersion;
  /** The release of the loader's own program, in full; undefined: by xenVersion for Xen, else the newest known. */
  readonly version?: string | undefined;
  /** Bytes of memory that the machine or guest has; undefined: DEFAULT_MEMORY. */
  readonly memory?: bigint | undefined;
}

/** A loader as declared: how it reads an image, and the rules by which it takes or refuses it. */
export interface LoaderDefinition<View> {
  readonly name: LoaderName;
  open(source: ByteSource, options: Options): View;
  readonly rules: readonly Rule<View>[];
  /** Everything that an accepting loader goes by. */
  values(view: View): Readonly<Record<string, Value>>;
  /** The least memory, in bytes, with which it accepts an image that it accepts; undefined where that is not known. */
  needsMemory?(view: View): bigint | undefined;
}

/** How a rule came out for an image. */
export type RuleResult = 'passed' | 'warned' | 'refused' | 'crash' | 'other-path' | 'not-reached';

/** A rule of a loader with its result. */
export interface RuleReport {
  readonly name: string;
  readonly source: string;
  readonly because: string;
  /** The releases that have the rule, in words; undefined: all. */
  readonly holds: string | undefined;
  readonly result: RuleResult;
  readonly remarks: readonly Remark[];
}

/** What a loader makes of an image. */
export interface Verdict {
  readonly loader: string;
  /** The release whose rules were gone by. */
  readonly version: string;
  readonly title: string;
  /**
   * accepted: it loads; with-warnings: it loads, and see the warnings. refused, crash: it does not. other-path: it is
   * loaded in another way. undecided: the image asks for more work than a verdict is worth.
   */
  readonly outcome: 'accepted' | 'with-warnings' | 'refused' | 'crash' | 'other-path' | 'undecided';
  /** The rule that decided, unless the image was accepted. */
  readonly rule: string | undefined;
  readonly message: string | undefined;
  readonly reason: string | undefined;
  readonly cure: Fix | undefined;
  readonly warnings: readonly { readonly rule: string; readonly text: string; readonly cure: Fix | undefined }[];
  /** The least memory, in bytes, with which the image loads; undefined where that is not known, or memory does not help. */
  readonly needsMemory: bigint | undefined;
  /** Empty unless the image was accepted, or is loaded and entered, and the guest lost. */
  readonly values: Readonly<Record<string, Value>>;
  readonly rules: readonly RuleReport[];
}

/** A loader with its view closed over. */
export interface Loader {
  readonly name: LoaderName;
  readonly title: string;
  judge(source: ByteSource, options: Options): Verdict;
  /**
   * What it goes by, `values` of the verdict, where it takes the image; undefined where it does not. The same rules without the
   * words about them: an edit asks it of every loader, and tells of few.
   */
  goesBy(source: ByteSource, options: Options): Verdict['values'] | undefined;
}

/** Would the loader start the image? */
export function accepts({ outcome }: Verdict): boolean {
  return outcome === 'accepted' || outcome === 'with-warnings';
}

/** Closes a definition over its view. */
export function loader<View>(definition: LoaderDefinition<View>): Loader {
  const { name } = definition;
  const title = titleOf(name);
  return {
    name,
    title,
    judge: (source, options) => judge(definition, source, options),
    goesBy: (source, options) => goesBy(definition, source, options),
  };
}

function titleOf(name: LoaderName): string {
  return loaderRow(name)?.title ?? name;
}

function judge<View>(definition: LoaderDefinition<View>, source: ByteSource, options: Options): Verdict {
  const version = versionFor(definition.name, options);
  const product = productOf(definition.name);
  const rules = definition.rules.filter((rule) => spans(product, rule, version));
  const reports: RuleReport[] = [];
  try {
    const view = definition.open(source, { ...options, version });
    let ended: Remark | undefined;
    for (const rule of rules) {
      const remarks = ended === undefined ? remarksOf(rule, view) : [];
      const { name, because } = rule;
      const result = ended === undefined ? resultOf(remarks) : 'not-reached';
      const holds = spanText(rule);
      reports.push({ name, source: rule.source, because, holds: holds === '' ? undefined : holds, result, remarks });
      ended ??= remarks.find(endsLoad);
    }
    const lost = ended?.kind === 'crash' && ended.lost === true;
    const values = ended === undefined || lost ? definition.values(view) : {};
    const needs = ended === undefined ? definition.needsMemory?.(view) : 'needs' in ended ? ended.needs : undefined;
    return verdict({ name: definition.name, version }, reports, ended, { values, needsMemory: needs });
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return {
      ...verdict({ name: definition.name, version }, reports, undefined, { values: {}, needsMemory: undefined }),
      ...undecided(error, reports),
    };
  }
}

function goesBy<View>(
  definition: LoaderDefinition<View>,
  source: ByteSource,
  options: Options,
): Verdict['values'] | undefined {
  const version = versionFor(definition.name, options);
  const product = productOf(definition.name);
  try {
    const view = definition.open(source, { ...options, version });
    for (const rule of definition.rules) {
      if (spans(product, rule, version) && remarksOf(rule, view).some(endsLoad)) return undefined;
    }
    const values = definition.values(view);
    // Asked as judge() asks it: what it cannot read makes the verdict `undecided`.
    definition.needsMemory?.(view);
    return values;
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return undefined;
  }
}

function endsLoad({ kind }: Remark): boolean {
  return kind !== 'warn';
}

function undecided(error: PatchError, reports: readonly RuleReport[]): Pick<Verdict, 'outcome' | 'message' | 'rule'> {
  return { outcome: 'undecided', message: error.message, rule: reports.at(-1)?.name };
}

function productOf(name: LoaderName): Product {
  return loaderRow(name)?.product ?? 'xen';
}

/** The release whose rules a verdict goes by, in full. */
function versionFor(name: LoaderName, { version, xenVersion }: Options): string {
  const product = productOf(name);
  if (version !== undefined) return version;
  return (product === 'xen' ? resolveVersion(product, xenVersion) : undefined) ?? newestVersion(product);
}

/** The remarks of a rule on a view, as a list. */
export function remarksOf<View>(rule: Rule<View>, view: View): readonly Remark[] {
  const remark = rule.run(view);
  if (remark === undefined) return [];
  return 'kind' in remark ? [remark] : remark;
}

/** The first remark of some of Xen's rules that ends the load: for loaders that ask another one's parser first. */
export function firstEnd<View>(rules: readonly Rule<View>[], view: View, version: XenVersion): Remark | undefined {
  for (const rule of rules) {
    if (!spans('xen', rule, version)) continue;
    const end = remarksOf(rule, view).find(endsLoad);
    if (end !== undefined) return end;
  }
  return undefined;
}

function resultOf(remarks: readonly Remark[]): RuleResult {
  const end = remarks.find(endsLoad);
  if (end === undefined) return remarks.length > 0 ? 'warned' : 'passed';
  return end.kind === 'refuse' ? 'refused' : end.kind === 'crash' ? 'crash' : 'other-path';
}

function verdict(
  { name, version }: { readonly name: LoaderName; readonly version: string },
  rules: readonly RuleReport[],
  ended: Remark | undefined,
  { values, needsMemory }: Pick<Verdict, 'values' | 'needsMemory'>,
): Verdict {
  const warnings = rules.flatMap((rule) =>
    rule.remarks
      .filter(({ kind }) => kind === 'warn')
      .map(({ message, cure }) => ({ rule: rule.name, text: message, cure })),
  );
  const outcome = (): Verdict['outcome'] => {
    if (ended === undefined) return warnings.length > 0 ? 'with-warnings' : 'accepted';
    return ended.kind === 'refuse' ? 'refused' : ended.kind === 'crash' ? 'crash' : 'other-path';
  };
  return {
    loader: name,
    version,
    title: titleOf(name),
    outcome: outcome(),
    rule: rules.find(({ result }) => result === 'refused' || result === 'crash' || result === 'other-path')?.name,
    message: ended?.message,
    reason: ended?.kind === 'refuse' ? ended.reason : undefined,
    cure: ended?.cure,
    warnings,
    needsMemory,
    values,
    rules,
  };
}

/** A remark that ends the load: the loader refuses the image with this message. */
export function refuse(
  message: string,
  more: { reason?: string | undefined; cure?: Fix | undefined; needs?: bigint | undefined } = {},
): Remark {
  return { kind: 'refuse', message, ...more };
}

/** A remark about an image that loads all the same. */
export function warn(message: string, cure?: Fix): Remark {
  return { kind: 'warn', message, cure };
}

/** A remark that ends the load: the loader crashes or hangs. */
export function crash(message: string, cure?: Fix): Remark {
  return { kind: 'crash', message, cure };
}

/** A remark that ends the load: the image is loaded and entered, and the guest is lost. */
export function lost(why: string, needs?: bigint): Remark {
  return { kind: 'crash', message: `the guest is lost: ${why}`, needs, lost: true };
}

/** The same for an entry where the file has no bytes: a loader that jumps without looking finds no code there. */
export function entryOutside(entry: bigint): Remark {
  return lost(`the entry ${hex(entry)} is not in the file bytes of any PT_LOAD`);
}

/** A remark that ends the rules: the image is loaded in another way. */
export function otherPath(message: string, cure?: Fix): Remark {
  return { kind: 'other-path', message, cure };
}
