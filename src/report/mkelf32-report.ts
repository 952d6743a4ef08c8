/** What mkelf32 planned and wrote, as text for people and as the members of a `xen-elfpatch/mkelf32/1` document. */
import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import type { Container } from '../edit/mkelf32/container.js';
import { NEWEST, VARIANTS, type Variant } from '../edit/mkelf32/variants.js';
import { accepts, type Verdict } from '../loaders/rule.js';
import type { Json } from './json.js';
import { table } from './text.js';

/** `as` says whose rules the output follows; undefined: the tidy form. */
export interface Mkelf32Facts {
  readonly input: string;
  readonly output: string;
  readonly as: Variant | undefined;
  readonly container: Container;
  readonly warnings: readonly string[];
  /** What each loader makes of the file that was written; undefined where none was, on a pipe or a device. */
  readonly verdicts: readonly Verdict[] | undefined;
}

/** The report of `mkelf32`, for people. */
export function mkelf32Text({ output, as, container, verdicts }: Mkelf32Facts): string {
  const { load, note, fileSize, entry } = container;
  const form = as === undefined ? 'tidy' : `as Xen ${as.releases} writes it`;
  const rows = [
    ['entry', hex(entry)],
    ['load', `${hex(load.p_paddr)}, ${hex(load.p_filesz)} bytes of the file, ${hex(load.p_memsz)} of memory`],
    ['notes', note === undefined ? 'none' : `${hex(note.p_filesz)} bytes at offset ${hex(note.p_offset)}`],
  ];
  if (verdicts !== undefined) {
    const names = verdicts.filter(accepts).map(({ loader }) => loader);
    rows.push([
      'loaders',
      names.length === 0 ? 'none would start it (verify says why)' : `${names.join(', ')} would start it`,
    ]);
  }
  return `${printable(output)}: ${fileSize} bytes, ${form}\n${table(rows, '  ')}`;
}

/** The report of `mkelf32`, for `--json`. */
export function mkelf32Json(facts: Mkelf32Facts): { readonly [key: string]: Json } {
  const { load, note, fileSize, entry } = facts.container;
  return {
    input: facts.input,
    output: facts.output,
    compat: facts.as?.release ?? null,
    fileSize,
    entry,
    load: { offset: load.p_offset, address: load.p_paddr, fileSize: load.p_filesz, memorySize: load.p_memsz },
    notes: note === undefined ? null : { offset: note.p_offset, address: note.p_paddr, size: note.p_filesz },
    warnings: [...facts.warnings],
    loaders: facts.verdicts?.map((verdict) => ({ name: verdict.loader, accepts: accepts(verdict) })) ?? null,
  };
}

/** `--list-compat`. */
export function variantsText(): string {
  const head = ['RELEASES', '--compat', 'WORDS', 'WHAT CHANGED'];
  const rows = VARIANTS.map((variant) => [
    variant.releases,
    variant === NEWEST ? `${variant.release} (default)` : variant.release,
    String(variant.arguments),
    variant.summary,
  ]);
  return table([head, ...rows], '', 60);
}

/** `--list-compat --json`. */
export function variantsJson(): { readonly [key: string]: Json } {
  return {
    variants: VARIANTS.map((variant) => ({
      release: variant.release,
      releases: variant.releases,
      default: variant === NEWEST,
      arguments: variant.arguments,
      summary: variant.summary,
    })),
  };
}
