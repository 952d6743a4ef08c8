/** One deliberate break or more for each check of containers: a result that a way of writing must not have. */
import { bzImage, payloadOf, withSection } from '../../support/bzimage.js';

/** What the results are made from. */
export interface ContainerInput {
  /** A bzImage with a kernel and a tail in it, the data that it unpacks to, and the kernel alone. */
  readonly image: Uint8Array;
  readonly data: Uint8Array;
  readonly kernel: Uint8Array;
  /** `data` as a gzip file. */
  readonly gzip: Uint8Array;
  /** The image as `--payload attach` writes it. */
  attach(image: Uint8Array): Promise<Uint8Array>;
}

export interface ContainerBreak {
  readonly check: string;
  readonly what: string;
  readonly way: 'attach' | 'replace' | 'detach' | 'gzip';
  /** No other check notices. */
  readonly alone?: boolean;
  /** Without `wanted`: what the result unpacks to is what was wanted. */
  make(input: ContainerInput): Promise<{ before: Uint8Array; after: Uint8Array; wanted?: Uint8Array }>;
}

/** The image whose results are broken: lengths in its start-up code, 32 KiB of init_size, a PE header. */
export const BREAKABLE = { format: 'gzip', pe: 'new', initSize: 0x8000 } as const;

/** The lengths of the payload in the start-up code. */
function lengthsAt(image: Uint8Array): number {
  const at = Buffer.from(image).indexOf(image.subarray(0x24c, 0x250), payloadOf(image).end);
  if (at < 0) throw new Error('the start-up code names no lengths');
  return at;
}

function patched(bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

/** A break of a well attached image. */
function attached(change: (good: Uint8Array, input: ContainerInput) => Uint8Array): ContainerBreak['make'] {
  return async (input) => ({ before: input.image, after: change(await input.attach(input.image), input) });
}

/** A break of an image that replace left as it was. */
function replaced(change: (good: Uint8Array, input: ContainerInput) => Uint8Array): ContainerBreak['make'] {
  return async (input) => ({ before: input.image, after: change(input.image, input) });
}

function rewritten(change: (good: Uint8Array) => Uint8Array): ContainerBreak['make'] {
  return async ({ gzip, data }) => ({ before: gzip, after: change(gzip), wanted: data });
}

export const CONTAINER_BREAKS: readonly ContainerBreak[] = [
  {
    check: 'container-native-kept',
    what: 'a byte of the old setup part',
    way: 'attach',
    make: attached((good) => patched(good, 0x700, 1)),
  },
  {
    check: 'container-crc-as-before',
    what: 'code in front of the CRC of an attached image',
    way: 'attach',
    make: attached((good, { image }) => patched(good, image.length - 100, 1, 2, 3)),
  },
  {
    check: 'container-sections-kept',
    what: 'a byte of a section that was stamped in',
    way: 'attach',
    make: async ({ image, attach }) => {
      const before = withSection(image, '.sbat', Buffer.from('sbat,1'));
      const good = await attach(before);
      return { before, after: patched(good, Buffer.from(good).lastIndexOf('sbat,1'), 0) };
    },
  },
  {
    check: 'container-sections-kept',
    what: 'a section that is cut off',
    way: 'replace',
    make: async ({ image }) => ({ before: withSection(image, '.sbat', Buffer.from('sbat,1')), after: image }),
  },
  {
    check: 'container-attached-behind-kernel',
    what: 'nothing attached',
    way: 'attach',
    make: attached((_good, { image }) => image),
  },
  {
    check: 'container-ends-with-payload',
    what: 'zeros behind the payload',
    way: 'attach',
    make: attached((good) => Buffer.concat([good, new Uint8Array(4)])),
  },
  {
    check: 'container-fits-init-size',
    what: 'an init_size of 256 bytes',
    way: 'attach',
    make: attached((good) => patched(good, 0x260, 0, 1, 0, 0)),
  },
  {
    check: 'container-not-signed',
    what: 'a PE checksum',
    way: 'attach',
    make: attached((good) => patched(good, 0x40 + 24 + 64, 1)),
  },
  {
    check: 'container-unpacks-to-wanted',
    what: 'other data than the wanted ones',
    way: 'attach',
    make: async (input) => ({ before: input.image, after: await input.attach(input.image), wanted: input.kernel }),
  },
  {
    check: 'container-native-lengths-kept',
    what: 'other lengths in the start-up code',
    way: 'attach',
    make: attached((good, { image }) => patched(good, lengthsAt(image), 0, 0)),
  },
  {
    check: 'container-tail-kept',
    what: 'a payload without the relocations behind the ELF',
    way: 'attach',
    make: async ({ image, kernel, attach }) => ({
      before: image,
      after: await attach(bzImage({ data: kernel, ...BREAKABLE })),
    }),
  },
  {
    check: 'container-same-size',
    what: 'a longer file',
    way: 'replace',
    make: replaced((good) => Buffer.concat([good, new Uint8Array(8)])),
  },
  {
    check: 'container-only-named-fields',
    what: 'a byte of the setup part',
    way: 'replace',
    make: replaced((good) => patched(good, 0x700, 1)),
  },
  {
    check: 'container-lengths-agree',
    what: 'other lengths in the start-up code',
    way: 'replace',
    make: replaced((good) => patched(good, lengthsAt(good), 0, 0)),
  },
  {
    check: 'container-crc-as-before',
    what: 'a header field without a new CRC',
    way: 'replace',
    make: replaced((good) => patched(good, 0x260, 0, 0)),
  },
  {
    check: 'container-in-place-law',
    what: 'an init_size that is too small',
    way: 'replace',
    make: replaced((good) => patched(good, 0x261, 0x70)),
  },
  {
    check: 'container-payload-stays',
    what: 'a payload of another format',
    way: 'replace',
    make: replaced((_good, { data }) => bzImage({ data, ...BREAKABLE, format: 'lz4' })),
  },
  {
    check: 'container-native-payload-named',
    what: 'an image that is still attached',
    way: 'detach',
    make: async ({ image, attach }) => {
      const good = await attach(image);
      return { before: good, after: good };
    },
  },
  {
    check: 'gzip-unpacks-to-wanted',
    what: 'other data than the wanted ones',
    way: 'gzip',
    alone: true,
    make: async ({ gzip, kernel }) => ({ before: gzip, after: gzip, wanted: kernel }),
  },
  {
    check: 'gzip-one-plain-member',
    what: 'a second member',
    way: 'gzip',
    alone: true,
    make: rewritten((good) => Buffer.concat([good, good])),
  },
  {
    check: 'gzip-one-plain-member',
    what: 'zeros behind the member',
    way: 'gzip',
    alone: true,
    make: rewritten((good) => Buffer.concat([good, new Uint8Array(4)])),
  },
  {
    check: 'gzip-one-plain-member',
    what: 'a header with a file name',
    way: 'gzip',
    alone: true,
    make: rewritten((good) => {
      const named = Buffer.concat([good.subarray(0, 10), Buffer.from('name\0'), good.subarray(10)]);
      named[3] = 8;
      return named;
    }),
  },
];
