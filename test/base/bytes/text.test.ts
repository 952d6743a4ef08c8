import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { installPorts, port, portOrNone } from '../../../src/base/bytes/ports.js';
import {
  compareBytes,
  comparePlainly,
  equalBytes,
  findBytes,
  findPlainly,
  hexDigitBytes,
  hexDigits,
  joinBytes,
  latin1,
  latin1Bytes,
  utf8,
  utf8Bytes,
} from '../../../src/base/bytes/text.js';

const bytes = fc.uint8Array({ maxLength: 64 });
/** Few values, so that stretches repeat. */
const dull = fc.uint8Array({ maxLength: 24, max: 2 });
const needle = fc.uint8Array({ minLength: 1, maxLength: 4, max: 2 });

/** A view that neither begins nor ends where its buffer does. */
function inside(content: Uint8Array): Uint8Array {
  const around = new Uint8Array(content.length + 7).fill(0x41);
  around.set(content, 3);
  return around.subarray(3, 3 + content.length);
}

describe('text of bytes is what Node makes of it', () => {
  it('latin1() and latin1Bytes()', () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const view = inside(content);
        expect(latin1(view)).toBe(Buffer.from(content).toString('latin1'));
        expect(latin1Bytes(latin1(view))).toEqual(content);
      }),
    );
    expect(latin1Bytes('\u0141')).toEqual(Uint8Array.of(0x41));
  });

  it.each([0x1fff, 0x2000, 0x2001, 0x6000])('latin1() of %i bytes', (size) => {
    const content = Uint8Array.from({ length: size }, (_, i) => i % 251);
    expect(latin1(content)).toBe(Buffer.from(content).toString('latin1'));
  });

  it('utf8() and utf8Bytes()', () => {
    fc.assert(
      fc.property(bytes, (content) => {
        expect(utf8(inside(content))).toBe(Buffer.from(content).toString('utf8'));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Bytes(text)).toEqual(Uint8Array.from(Buffer.from(text, 'utf8')));
      }),
    );
    expect(utf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
    expect(utf8Bytes('\ud800')).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd));
  });

  it('hexDigits() and hexDigitBytes()', () => {
    fc.assert(
      fc.property(bytes, (content) => {
        expect(hexDigits(inside(content))).toBe(Buffer.from(content).toString('hex'));
        expect(hexDigitBytes(hexDigits(content).toUpperCase())).toEqual(content);
      }),
    );
  });
});

describe('bytes against bytes, with the port and without it', () => {
  it.each([
    ['compareBytes()', compareBytes],
    ['comparePlainly()', comparePlainly],
  ])('%s tells order and equality', (_, compare) => {
    fc.assert(
      fc.property(dull, dull, (a, b) => {
        expect(Math.sign(compare(inside(a), inside(b)))).toBe(Buffer.compare(a, b));
        expect(compare(inside(a), inside(a))).toBe(0);
      }),
    );
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  });

  it.each([
    ['findBytes()', findBytes],
    ['findPlainly()', findPlainly],
  ])('%s finds every place, and the first at or behind one', (_, find) => {
    fc.assert(
      fc.property(dull, needle, fc.nat(30), (content, wanted, from) => {
        expect(find(inside(content), wanted, from)).toBe(Buffer.from(content).indexOf(wanted, from));
      }),
    );
  });

  it('joinBytes() puts one behind the other', () => {
    expect(joinBytes([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3));
    expect(joinBytes([])).toEqual(new Uint8Array(0));
  });
});

describe('ports', () => {
  it('are what was installed last', () => {
    const readFile = port('readFile');
    const mine = () => Uint8Array.of(7);
    installPorts({ readFile: mine });
    expect(port('readFile')).toBe(mine);
    installPorts({ readFile });
    expect(portOrNone('readFile')).toBe(readFile);
  });

  it('of Node: hashes and CRC-32 are those of the standards', () => {
    const hash = (algorithm: 'sha1' | 'sha256') => {
      const hasher = port('newHasher')(algorithm);
      hasher.update(latin1Bytes('a'));
      hasher.update(latin1Bytes('bc'));
      return hexDigits(hasher.digest());
    };
    // FIPS 180-4, examples of one block; the check value of CRC-32/ISO-HDLC.
    expect(hash('sha1')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
    expect(hash('sha256')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(port('crc32')(latin1Bytes('56789'), port('crc32')(latin1Bytes('1234'), 0))).toBe(0xcbf43926);
  });
});
