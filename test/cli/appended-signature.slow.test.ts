/** A signature appended to an ELF as kernel modules have it: refused, taken off when asked, or why not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);
const kernel = readFileSync(fixture('pvh64-notes'));
const LINE = Buffer.from('~Module signature appended~\n');

/** The record in front of the last line: PKCS#7, no signer, no key, and a length. */
function signature(
  size: number,
  { signer = 0, key = 0, stated = size }: { signer?: number; key?: number; stated?: number } = {},
) {
  const record = Buffer.alloc(12);
  record[2] = 2;
  record[3] = signer;
  record[4] = key;
  record.writeUInt32BE(stated, 8);
  return Buffer.concat([Buffer.alloc(size + signer + key, 0x5a), record, LINE]);
}

const GOOD: readonly (readonly [string, Buffer])[] = [
  ['one signature', signature(681)],
  ['one that names signer and key', signature(256, { signer: 20, key: 33 })],
  ['two, one over the other', Buffer.concat([signature(256), signature(681)])],
  ['an empty one', signature(0)],
];

const COMMANDS: readonly (readonly string[])[] = [
  ['patch', '--set', 'GUEST_OS=x'],
  ['patch', '--set', `GUEST_OS=${'x'.repeat(3000)}`],
  ['patch', '--set', 'GUEST_OS=x', '--placement', 'shift'],
  ['stamp', '--note', 'V:1=x'],
];

describe.each(GOOD)('%s', (_, appended) => {
  const signed = () => folder.write('signed', Buffer.concat([kernel, appended]));

  it.each(COMMANDS)('%s %s %s: refused, and with --strip-signature as if it never had been there', (...words) => {
    const [command = '', ...edit] = words.filter((word) => word !== undefined);
    const plain = folder.write('plain', kernel);
    expect(runCli([command, plain, ...edit, '-o', at('wanted')]).status).toBe(0);
    const refused = runCli([command, signed(), ...edit, '-o', at('out')]);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('[plan.signed]') });
    expect(refused.stderr).toContain('hint: --strip-signature takes it off');
    const done = runCli([command, at('signed'), ...edit, '--strip-signature', '-o', at('out')]);
    expect(done.stderr).toContain(`the appended signature (${appended.length} bytes) is gone`);
    expect(done.status).toBe(0);
    expect(Buffer.compare(readFileSync(at('out')), readFileSync(at('wanted')))).toBe(0);
  });

  it('alone, it is taken off and nothing else is done; in place as well', () => {
    expect(runCli(['patch', signed(), '--strip-signature', '-o', at('out')]).status).toBe(0);
    expect(Buffer.compare(readFileSync(at('out')), kernel)).toBe(0);
    expect(runCli(['patch', at('signed'), '--strip-signature', '--in-place', '--set', 'GUEST_OS=x']).status).toBe(0);
    expect(runCli(['patch', at('out'), '--in-place', '--set', 'GUEST_OS=x']).status).toBe(0);
    expect(Buffer.compare(readFileSync(at('signed')), readFileSync(at('out')))).toBe(0);
  });
});

it('fix takes it off, too', () => {
  const signed = folder.write('signed', Buffer.concat([kernel, signature(64)]));
  const done = runCli(['fix', signed, '--for', 'qemu-pvh', '--strip-signature', '-o', at('out')]);
  expect(done.status).toBe(0);
  expect(Buffer.compare(readFileSync(at('out')), kernel)).toBe(0);
});

describe('what cannot be one is left alone, with the reason', () => {
  it.each([
    [
      'a length beyond the file',
      signature(16, { stated: 0x1000000 }),
      /it claims 16777216 bytes, and \d+ are in front/,
    ],
    ['a length into the image', signature(16, { stated: 4000 }), /headers of the image speak of bytes up to \d+/],
  ])('%s', (_, appended, why) => {
    const signed = folder.write('signed', Buffer.concat([kernel, appended]));
    const { status, stderr } = runCli(['patch', signed, '--strip-signature', '--set', 'GUEST_OS=x', '-o', at('never')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(why);
    expect(stderr).toContain('[plan.signed]');
  });
});
