/**
 * The record of a writing command, `xen-elfpatch/record/1`: which bytes became which, by what, and what loaders said before and
 * after. Nothing of time, machine or user is in it: the same run makes the same record.
 */

import { COMMIT, VERSION } from '../base/version.js';
import type { Verdict } from '../loaders/rule.js';
import { type Json, jsonDocument, plainDocument } from './json.js';

/** As `--record-format` takes them. */
export const RECORD_FORMATS = ['json', 'in-toto'] as const;
/** A choice of `--record-format`. */
export type RecordFormat = (typeof RECORD_FORMATS)[number];

/** What `_type` of a statement is (in-toto Attestation Framework, v1). */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** What our predicate is called there. */
export const PREDICATE_TYPE = 'https://xen-elfpatch.invalid/record/v1';

/** One file, by its contents. */
export interface FileFacts {
  /** As the command line names it. */
  readonly name: string;
  readonly sha256: string;
  readonly size: bigint;
  readonly verdicts: readonly Verdict[];
}

/** Everything that a record tells. */
export interface RecordFacts {
  readonly command: string;
  /** The words of the command line, as typed. */
  readonly arguments: readonly string[];
  readonly input: FileFacts;
  readonly output: FileFacts;
  /** The members of the command's own document, as of a plan. */
  readonly edits: { readonly [key: string]: Json };
}

/** The record in a format. */
export function recordText(facts: RecordFacts, format: RecordFormat): string {
  const members = recordMembers(facts);
  if (format === 'json') return jsonDocument('record', members);
  return plainDocument({
    _type: STATEMENT_TYPE,
    subject: [{ name: facts.output.name, digest: { sha256: facts.output.sha256 } }],
    predicateType: PREDICATE_TYPE,
    predicate: { schema: 'xen-elfpatch/record/1', ...members },
  });
}

function recordMembers({ command, arguments: words, input, output, edits }: RecordFacts): {
  readonly [key: string]: Json;
} {
  return {
    tool: { name: 'xen-elfpatch', version: VERSION, commit: COMMIT ?? null },
    command,
    arguments: words,
    input: fileJson(input),
    output: fileJson(output),
    verdicts: { before: input.verdicts.map(verdictJson), after: output.verdicts.map(verdictJson) },
    edits,
  };
}

function fileJson({ name, sha256, size }: FileFacts): Json {
  return { name, sha256, size };
}

function verdictJson({ loader, version, outcome, message }: Verdict): Json {
  return { loader, version, outcome, message: message ?? null };
}
