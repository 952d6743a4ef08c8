/** What was done, or would be, to a container: as text for people and as members of a `xen-elfpatch/patch/1` document. */

import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import { type ContainerPlan, containerChanges } from '../edit/container/pipeline.js';
import type { Written } from '../edit/elf/pipeline.js';
import { containerText } from '../formats/container/facts.js';
import { containerJson } from './container-json.js';
import type { Json } from './json.js';
import { changesInWords, type Detail, patchJson, planText } from './patch-report.js';
import { counted, type Style, table } from './text.js';

/** How far the edit of a container went. */
export type ContainerOutcome =
  | { readonly kind: 'planned' }
  | { readonly kind: 'checked' }
  | { readonly kind: 'written'; readonly written: Written; readonly output: string };

/** The report on the edit of a container, for people. */
export function containerPatchText(
  plan: ContainerPlan,
  outcome: ContainerOutcome,
  style: Style,
  detail: Detail,
): string {
  const { facts } = plan.opened;
  if (outcome.kind === 'written' && !detail.ranges) {
    const inside = plan.elf === undefined || !containerChanges(plan) ? '' : changesInWords(plan.elf);
    const proved = outcome.written.how === 'unchanged' ? '' : '; verified';
    return `${style.bold(printable(facts.file))}: ${headline(plan, outcome)}${inside}${proved}\n${advice(plan)}`;
  }
  let text = `${style.bold(printable(facts.file))}: ${headline(plan, outcome)}\n`;
  text += `  looked through: ${containerText(facts)}\n`;
  if (plan.elf !== undefined) text += planText(plan.elf, style, detail);
  if (detail.ranges && containerChanges(plan)) {
    const rows = plan.rebuilt.writes.map(({ offset, bytes }) => [hex(offset), counted(bytes.length, 'byte')]);
    text += `  byte ranges of the file that change:\n${table(rows, '    ')}`;
  }
  if (outcome.kind === 'written') text += `  ${proof(plan, outcome.written)}\n${advice(plan)}`;
  return text;
}

function headline(plan: ContainerPlan, outcome: ContainerOutcome): string {
  if (!containerChanges(plan)) {
    const copied = outcome.kind === 'written' && outcome.written.how === 'clone';
    return `has these notes already, ${copied ? `copied unchanged to ${printable(outcome.output)}` : 'nothing to change'}`;
  }
  switch (outcome.kind) {
    case 'planned':
      return `would get ${plan.rebuilt.summary}`;
    case 'checked':
      return 'needs patching';
    case 'written':
      return `written to ${printable(outcome.output)}: ${plan.rebuilt.summary}`;
  }
}

function proof({ way, rebuilt }: ContainerPlan, { how, secondReader }: Written): string {
  if (how === 'unchanged') return 'verified: nothing was written';
  const native = {
    attach: ', what Linux itself starts is unchanged',
    replace: ', nothing but the payload and its lengths changed',
    detach: ', the kernel is what it was before',
    strip: ', the kernel is unchanged',
    extract: '',
    gzip: '',
  }[way];
  const elfy = {
    agrees: 'elfy agrees',
    'cannot-read': 'elfy cannot read this shape',
    absent: 'no second reader was asked',
  }[secondReader.verdict];
  return `verified: the file was opened again and unpacks to what was wanted${native} (${rebuilt.fileSize} bytes); ${elfy}`;
}

/** What the user has to know or do now. */
function advice({ opened, way, rebuilt }: ContainerPlan): string {
  const lines: string[] = [];
  const { facts } = opened;
  if (facts.kind === 'bzimage' && facts.signed && way !== 'extract' && rebuilt.writes.length > 0) {
    lines.push('the Secure Boot signature is gone: sign the result again where Secure Boot is on');
    lines.push('a checksum file beside the kernel (.vmlinuz-*.hmac) no longer matches');
  }
  if (way === 'attach') {
    lines.push(
      'the file now holds two copies of the kernel that differ in notes only: Xen starts the new one, Linux by itself the old;',
      'extract-vmlinux shows the old one, /sys/kernel/notes those of the copy that runs; --payload detach undoes it',
    );
  }
  return lines.map((line) => `  ${line}\n`).join('');
}

/** The members of the JSON document: those of an ELF, about the ELF inside, and what happened to the file around it. */
export function containerPatchJson(plan: ContainerPlan, outcome: ContainerOutcome): { readonly [key: string]: Json } {
  const { opened, rebuilt, way, elf } = plan;
  const inside = elf === undefined ? {} : patchJson(elf, { kind: 'planned' });
  return {
    ...inside,
    file: opened.facts.file,
    changed: containerChanges(plan),
    written:
      outcome.kind === 'written'
        ? {
            output: outcome.output,
            how: outcome.written.how,
            secondReader: {
              verdict: outcome.written.secondReader.verdict,
              details: [...outcome.written.secondReader.details],
            },
          }
        : null,
    container: {
      ...containerJson(opened.facts),
      way,
      summary: rebuilt.summary,
      fileSize: rebuilt.fileSize,
      ranges: rebuilt.writes.map(({ offset, bytes }) => ({ offset, size: BigInt(bytes.length) })),
    },
    warnings: [...plan.warnings],
  };
}
