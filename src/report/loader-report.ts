/** Verdicts of loaders: one line for each, details for those that were asked about, everything in JSON. */
import { hex } from '../base/errors/hex.js';
import { oneLine, printable } from '../base/printable.js';
import type { ProvedVerdict } from '../edit/fix/cure.js';
import type { Fix } from '../formats/note/fix.js';
import { fixCommand } from '../formats/note/fix-command.js';
import type { AskedOptions } from '../formats/note/line-options.js';
import { mebibytes } from '../loaders/memory.js';
import { loaderRow, releaseOf, rowTargets, targetOf } from '../loaders/names.js';
import { accepts, type RuleReport, type Value, type Verdict } from '../loaders/rule.js';
import { type Evidence, evidenceOf, PRODUCT_TITLES } from '../loaders/versions.js';
import { NEWEST_XEN, xenBranch } from '../loaders/xen-version.js';
import type { Json } from './json.js';
import { type Cell, counted, type Style, table } from './text.js';

/** From which release to which a verdict holds, in words; undefined: by all that are known, or nobody asked. */
export interface Spanned {
  readonly span?: string | undefined;
}

/** The verdicts of loaders on an image, and which of them count. */
export interface LoaderFacts {
  /** The file as a command line names it; undefined: standard input. */
  readonly image: string | undefined;
  readonly xenVersion: string;
  /** Bytes of memory that the machine or guest has, where the command line says; undefined: 4 GiB. */
  readonly memory?: bigint | undefined;
  /** What was asked besides, which a printed command says again. */
  readonly line?: AskedOptions | undefined;
  /** All of them, or those that were asked about. */
  readonly verdicts: readonly (ProvedVerdict & Spanned)[];
  /** The loaders that decide the exit status; empty when none was named. */
  readonly asked: readonly string[];
  /** Should text list the rules, too? */
  readonly rules: boolean;
}

/** Would each loader that was asked about start the image? */
export function asWanted({ verdicts, asked }: LoaderFacts, strict = false): boolean {
  const isWanted = (verdict: Verdict) => (strict ? verdict.outcome === 'accepted' : accepts(verdict));
  return verdicts.every((verdict) => !isAsked(verdict, asked) || isWanted(verdict));
}

/** The first of the targets, as typed, that names this verdict's loader, and its release where a release is named. */
function askedAs({ loader, version }: Verdict, asked: readonly string[]): string | undefined {
  return asked.find((text) =>
    rowTargets([text]).some(
      (row) => targetOf(row).name === loader && (targetOf(row).version === undefined || releaseOf(row) === version),
    ),
  );
}

/** The loader by the name under which it was asked for, without a version; else by that of its row. */
export function nameOf(verdict: Verdict, asked: readonly string[]): string {
  const target = askedAs(verdict, asked);
  return target === undefined ? verdict.loader : targetOf(target).name;
}

function isAsked(verdict: Verdict, asked: readonly string[]): boolean {
  return askedAs(verdict, asked) !== undefined;
}

/** The loader, with its version where one was asked for, in full; `asTyped`: as the command line had it. */
function targetText(verdict: Verdict, { asked }: LoaderFacts, asTyped = false): string {
  const { loader, version } = verdict;
  const target = askedAs(verdict, asked);
  if (target === undefined || targetOf(target).version === undefined) return loader;
  return asTyped ? target : `${loader}@${version}`;
}

/** What all rows go by: memory where it was given, and the Xen release unless each of Xen's loaders was asked for by its own. */
function conditionsOf({ verdicts, asked, xenVersion, memory }: LoaderFacts): string {
  const xens = verdicts
    .filter(({ loader }) => loaderRow(loader)?.product === 'xen')
    .map((each) => askedAs(each, asked));
  const named = xens.filter((target) => target !== undefined && targetOf(target).version !== undefined);
  const release = xens.length > 0 && named.length === xens.length ? [] : [`Xen ${xenVersion}`];
  return [...release, ...(memory === undefined ? [] : [`${mebibytes(memory)} of memory`])].join(', ');
}

/** The matrix, and behind it what there is to say on each loader that was asked about. */
export function loaderText(file: string, facts: LoaderFacts, style: Style): string {
  const { verdicts, asked, rules } = facts;
  const conditions = conditionsOf(facts);
  const head = `${style.bold(printable(file))}: would it load?${conditions === '' ? '' : ` (${conditions})`}\n`;
  const matrix = table(
    verdicts.map((verdict) => [targetText(verdict, facts), wordOf(verdict, style), summaryOf(verdict)]),
    '  ',
  );
  const details = verdicts.filter((verdict) => rules || isAsked(verdict, asked));
  return `${head}${matrix}${details.map((verdict) => detailText(verdict, facts, style)).join('')}`;
}

const OUTCOMES = {
  accepted: ['yes', 'good'],
  'with-warnings': ['yes, but', 'warn'],
  refused: ['no', 'bad'],
  crash: ['crash', 'bad'],
  'other-path': ['otherwise', 'warn'],
  undecided: ['undecided', 'warn'],
} as const;

/** What a loader does with an image, in a word. */
export function outcomeWord({ outcome }: Verdict): string {
  return OUTCOMES[outcome][0];
}

function wordOf({ outcome }: Verdict, style: Style): Cell {
  const [text, paint] = OUTCOMES[outcome];
  return { text, paint: style[paint] };
}

function summaryOf({ outcome, message, values, warnings }: Verdict): string {
  if (outcome !== 'accepted' && outcome !== 'with-warnings') return printable(message ?? '');
  const { entry, mode } = values;
  const enters = typeof entry === 'bigint' ? `enters ${hex(entry)}` : 'loads';
  const how = typeof mode === 'string' ? `, ${mode}` : '';
  const [first] = warnings;
  if (first === undefined) return `${enters}${how}`;
  const more = warnings.length > 1 ? ` (and ${counted(warnings.length - 1, 'warning')} more)` : '';
  return `${enters}: ${printable(first.text)}${more}`;
}

function detailText(verdict: ProvedVerdict & Spanned, facts: LoaderFacts, style: Style): string {
  const { rules } = facts;
  const { loader, title, reason, cure, advice, message, rule, warnings, values, needsMemory } = verdict;
  const lines = [`\n${style.bold(targetText(verdict, facts))}: ${title}`];
  if (message !== undefined)
    lines.push(`  says: ${printable(message)}${rule === undefined ? '' : style.dim(` [${rule}]`)}`);
  // What to do stands right behind what was said: that is what people look for.
  // Spelled for a shell, it holds nothing that would have to be escaped, and must not be: backslashes are part of it.
  if (cure !== undefined) lines.push(`  fix: ${commandOf(cure, verdict, facts)}`);
  // The same where it names a command.
  if (advice !== undefined && advice !== reason) lines.push(`  what to do: ${oneLine(advice)}`);
  if (needsMemory !== undefined && !accepts(verdict)) lines.push(`  needs: ${mebibytes(needsMemory)} of memory`);
  if (reason !== undefined) lines.push(`  because: ${printable(reason)}`);
  const holds = verdict.rules.find(({ name }) => name === rule)?.holds;
  if (holds !== undefined) lines.push(`  holds: ${PRODUCT_TITLES[loaderRow(loader)?.product ?? 'xen']} ${holds}`);
  if (verdict.span !== undefined) lines.push(`  holds in: ${verdict.span}`);
  if (knownBy(verdict) === 'read') lines.push('  known: read in the source, untried');
  for (const warning of warnings) {
    lines.push(`  ${style.warn('warning')}: ${printable(warning.text)} ${style.dim(`[${warning.rule}]`)}`);
  }
  const shown = Object.entries(values).flatMap(([name, value]) => {
    const text = valueText(value);
    return text === '' ? [] : [[`  ${name}`, text]];
  });
  const rows = rules ? verdict.rules.map((each) => ruleRow(each, style)) : [];
  return `${lines.join('\n')}\n${table(shown)}${rows.length > 0 ? `  rules, in ${loader}'s order:\n${table(rows, '    ')}` : ''}`;
}

/** How the rules that a verdict went by are known. */
function knownBy({ loader, version }: Verdict): Evidence {
  return evidenceOf(loaderRow(loader)?.product ?? 'xen', version);
}

function ruleRow({ name, result, because }: RuleReport, style: Style): (string | Cell)[] {
  const good = result === 'passed';
  const paint = good ? style.good : result === 'not-reached' ? style.dim : result === 'warned' ? style.warn : style.bad;
  return [name, { text: result, paint }, because];
}

function valueText(value: Value): string {
  if (value === undefined || value === '') return '';
  if (typeof value === 'bigint') return hex(value);
  if (typeof value === 'object') return value.length === 0 ? 'none' : value.join(' ');
  return printable(String(value));
}

function commandOf(fix: Fix, verdict: Verdict, facts: LoaderFacts): string {
  const { image, xenVersion, memory, line } = facts;
  const release = xenVersion === NEWEST_XEN ? undefined : xenVersion;
  const loaders = [targetText(verdict, facts, true)];
  return fixCommand(fix, { ...line, file: image, loaders, xenVersion: release, memory });
}

/** The verdicts and their rules as `--json` has them. */
export function loaderJson(facts: LoaderFacts): Record<string, Json> {
  const { verdicts, xenVersion, memory } = facts;
  const spell = (fix: Fix | undefined, verdict: Verdict) =>
    fix === undefined ? undefined : commandOf(fix, verdict, facts);
  return {
    xenVersion: xenBranch(xenVersion),
    memory,
    loaders: verdicts.map((verdict): Json => {
      const { loader, title, outcome, rule, message, reason, cure, advice, warnings, values, rules } = verdict;
      return {
        loader: nameOf(verdict, facts.asked),
        row: loader,
        version: verdict.version,
        evidence: knownBy(verdict),
        span: verdict.span,
        title,
        accepts: accepts(verdict),
        outcome,
        rule,
        message,
        reason,
        cure: spell(cure, verdict),
        advice,
        needsMemory: verdict.needsMemory,
        warnings: warnings.map(({ rule: name, text, cure: mend }) => ({
          rule: name,
          text,
          cure: spell(mend, verdict),
        })),
        programs: [],
        values,
        rules: rules.map(({ name, source, because, holds, result }) => ({ name, result, because, holds, source })),
      };
    }),
  };
}
