/** Answers as a log of the Static Analysis Results Interchange Format (OASIS SARIF 2.1.0), as code scanning reads it. */
import { VERSION } from '../../base/version.js';
import { plainDocument } from '../json.js';
import type { Answer, Fault } from './answers.js';

/** The log, one run. Rules are all that were asked, results what breaks them. */
export function sarifText(command: string, answers: readonly Answer[]): string {
  const rules = [...new Map(answers.map(({ rule, because }) => [rule, because]))];
  const indexOf = new Map(rules.map(([rule], index) => [rule, index]));
  return plainDocument({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'xen-elfpatch',
            semanticVersion: VERSION,
            rules: rules.map(([id, because]) => ({ id, shortDescription: { text: because } })),
          },
        },
        automationDetails: { id: `xen-elfpatch/${command}/` },
        artifacts: [...new Set(answers.map(({ file }) => file))].map((file) => ({ location: { uri: uriOf(file) } })),
        results: answers.flatMap((answer) =>
          answer.faults.map((fault) => resultOf(answer, fault, indexOf.get(answer.rule) ?? -1)),
        ),
      },
    ],
  });
}

function resultOf({ file, rule }: Answer, { level, text, offset, part }: Fault, ruleIndex: number) {
  return {
    ruleId: rule,
    ruleIndex,
    level,
    message: { text: part === undefined ? text : `${part}: ${text}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          // A number of JSON, and so of SARIF, is exact up to here.
          ...(offset === undefined || offset > BigInt(Number.MAX_SAFE_INTEGER)
            ? {}
            : { region: { byteOffset: Number(offset) } }),
        },
      },
    ],
  };
}

/** A path as a URI reference (RFC 3986): relative as typed, absolute with its scheme. */
function uriOf(file: string): string {
  const path = file.split('/').map(segment).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}

function segment(text: string): string {
  // What no name of ours has, a lone surrogate, is no URI either.
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));
}
