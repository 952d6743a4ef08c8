/** The option grammar of the command line, as far as the texts use it: enough to catch a line that cannot work. */

import { XEN_NOTES } from '../../src/formats/note/xen-notes.js';
import { TARGET_NAMES } from '../../src/loaders/names.js';

type Check = (value: string) => boolean;

const file: Check = (value) => /^[\w./-]+$/.test(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    value.split(',').every(check);

const PRESETS = ['pv', 'pv32', 'pvh', 'pv+pvh'].flatMap((name) => [name, `${name}+dom0`]);
const PLACES = ['auto', 'in-place', 'grow', 'append', 'extend', 'move-table', 'shift', 'new-load', 'new-table'];

/** undefined: the option takes no value. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, Check | undefined>>>> = {
  patch: {
    '-o': file,
    '--in-place': undefined,
    '--clear': undefined,
    '--from-legacy': undefined,
    '--copy-from': file,
    '--preset': oneOf(...PRESETS),
    '--spec': file,
    '--set': isAssignment,
    '--unset': isNoteName,
    '--placement': oneOf(...PLACES),
    '--loaded': undefined,
    '--not-loaded': undefined,
    '--section': (name) => name.startsWith('.'),
    '--dry-run': undefined,
    '--check': undefined,
    '--depfile': file,
    '--must-survive': listOf(
      oneOf('strip', 'objcopy', 'llvm-strip', 'llvm-objcopy', 'eu-strip', 'eu-strip-o', 'patchelf', 'flat'),
    ),
    '--notes-align': oneOf('4', '8'),
    '--payload': oneOf('attach', 'replace', 'extract', 'detach'),
    '--compressor': file,
    '--strip-signature': undefined,
    '--keep-tail': undefined,
    '--json': undefined,
  },
  notes: { '--xen': undefined, '--raw': undefined, '--require-xen': undefined, '--json': undefined },
  verify: {
    '--baseline': file,
    '--for': (loader) => TARGET_NAMES.some((name) => name === loader.replace(/@\d+(\.\d+)*$/, '')),
    '--xen-version': (release) => /^4\.\d+$/.test(release),
    '--memory': (size) => /^\d+[MG]$/.test(size),
    '--rules': undefined,
    '--json': undefined,
  },
  mkelf32: {
    '--notes': undefined,
    '--compat': (release) => /^4\.\d+(\.\d+)?$/.test(release),
    '--list-compat': undefined,
    '--tidy': undefined,
    '--note': isAssignment,
    '--keep': listOf(oneOf('sections', 'symbols')),
    '--json': undefined,
  },
  linearize: {
    '-o': file,
    '--in-place': undefined,
    '--mb1': undefined,
    '--keep-reloc': undefined,
    '--merge': undefined,
    '--dry-run': undefined,
    '--check': undefined,
    '--json': undefined,
    '--verify': undefined,
    '--baseline': file,
  },
  stamp: {
    '-o': file,
    '--in-place': undefined,
    '--package-metadata': (text) => /^\w+=[^=]+$/.test(text) || file(text),
    '--date': (key) => /^\w+$/.test(key),
    '--build-id': (text) => /^(keep|sha1|sha256|(0x)?([0-9a-f]{2})+)$/.test(text),
    '--note': (text) => /^\w+:(0x[0-9a-f]+|[0-9]+)(\/[1248])?=/.test(text),
    '--remove': (text) => /^\w+:(0x[0-9a-f]+|[0-9]+)$/.test(text),
    '--loaded': undefined,
    '--not-loaded': undefined,
    '--check': undefined,
    '--json': undefined,
  },
  fix: {
    '-o': file,
    '--in-place': undefined,
    '--for': (loader) => TARGET_NAMES.some((name) => name === loader.replace(/@\d+(\.\d+)*$/, '')),
    '--check': undefined,
    '--json': undefined,
  },
  diff: { '--json': undefined },
  layout: {
    '--compare': file,
    '--svg': file,
    '--html': file,
    '--sizes': undefined,
    '--physical': undefined,
    '--json': undefined,
  },
  explain: { '--json': undefined },
};

/** Why a command line would be refused; undefined when it would not. */
export function complaint(line: string): string | undefined {
  const [program, command = '', ...words] = split(line);
  if (program !== 'xen-elfpatch') return `program ${program}`;
  const known = OPTIONS[command];
  if (known === undefined) return `command ${command}`;
  const operands: string[] = [];
  let output = false;
  for (let k = 0; k < words.length; k++) {
    const word = words[k] ?? '';
    if (!word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    if (!Object.hasOwn(known, word)) return `option ${word}`;
    output ||= ['-o', '--in-place', '--dry-run', '--check'].includes(word);
    const check = known[word];
    if (check === undefined) continue;
    const value = words[++k];
    if (value === undefined || !check(value)) return `${word} ${value}`;
  }
  if (command === 'mkelf32') {
    const wanted = words.includes('--list-compat') ? [0] : words.includes('--compat') ? [3, 4] : [3];
    return wanted.includes(operands.length) ? undefined : `operands ${operands.join(' ')}`;
  }
  if (command === 'diff') return operands.length === 2 ? undefined : `operands ${operands.join(' ')}`;
  if (operands.length !== 1) return `operands ${operands.join(' ')}`;
  if (command === 'patch' && !output) return 'patch without -o, --in-place, --check or --dry-run';
  return undefined;
}

/** Splits as a shell does, single and double quotes included. */
export function split(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/['"]/g, ''));
}

function isNoteName(name: string): boolean {
  return XEN_NOTES.some((info) => info.name === name);
}

const NUMBER = /^(0x[0-9a-f]+|[0-9]+|(sym|phys):\w+([+-](0x[0-9a-f]+|[0-9]+))?|entry|phys:entry)$/i;

function isAssignment(text: string): boolean {
  const [, name = '', , value = ''] = /^([^=/]+)(\/[1248])?=(.*)$/s.exec(text) ?? [];
  if (/^hex:([0-9a-f]{2})+$/i.test(value) || /^file:[\w./-]+$/.test(value))
    return isNoteName(name) || /^0x|^\d/.test(name);
  const info = XEN_NOTES.find((row) => row.name === name);
  switch (info?.kind) {
    case 'string':
      return true;
    case 'number':
      return NUMBER.test(value);
    case 'list':
      return value.split(/[,:]/).every((item) => NUMBER.test(item));
    default:
      return false;
  }
}
