/** A setting as `--set` takes it: the inverse of parseSetting(). */
import { hex } from '../../base/errors/hex.js';
import { encodeString } from './desc.js';
import type { Setting, ValueExpr } from './value.js';
import { noteName } from './xen-notes.js';

/** `NAME=VALUE`, or `NAME/4=VALUE` where the width is given. Undefined for the few values that no text stands for. */
export function settingText({ type, width, expr }: Setting): string | undefined {
  const value = valueText(expr);
  return value === undefined ? undefined : `${noteName(type)}${width === undefined ? '' : `/${width}`}=${value}`;
}

function valueText(expr: ValueExpr): string | undefined {
  switch (expr.kind) {
    case 'number':
      return hex(expr.value);
    case 'symbol':
      // phys:entry is the ELF header's e_entry, and an empty name is none.
      if (expr.name === '' || (expr.physical && expr.name.toLowerCase() === 'entry')) return undefined;
      return `${expr.physical ? 'phys' : 'sym'}:${expr.name}${addendText(expr.addend, endsInAddend(expr.name))}`;
    case 'entry':
      return `${expr.physical ? 'phys:' : ''}entry${addendText(expr.addend, false)}`;
    case 'text':
      // These two would be read as bytes; the descriptor is the same.
      return /^(hex|file):/.test(expr.text) ? `hex:${hexDigits(encodeString(expr.text))}` : expr.text;
    case 'list':
      return expr.items.map(hex).join(',');
    case 'bytes':
      return `hex:${hexDigits(expr.bytes)}`;
    case 'file':
      return expr.path === '' ? undefined : `file:${expr.path}`;
  }
}

/** `always`: the name itself ends like an addend, and one more behind it is what is taken for it. */
function addendText(addend: bigint, always: boolean): string {
  if (addend === 0n && !always) return '';
  return addend < 0n ? `-${hex(-addend)}` : `+${hex(addend)}`;
}

function endsInAddend(name: string): boolean {
  return /.[+-](0x[0-9a-f]+|0|[1-9][0-9]*)$/is.test(name);
}

function hexDigits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
