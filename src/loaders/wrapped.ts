/**
 * What each loader can unpack, and how it fails on what it cannot. A loader that unpacks a wrapper judges the kernel in it by
 * its ordinary rules afterwards; one that does not sees the file as it stands, and so do its rules.
 */
import type { ByteSource } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import type { BzImageFacts, ContainerFacts, Demand, GzipFacts } from '../formats/container/facts.js';
import { wrapperFix } from '../formats/note/fix.js';
import type { LoaderName } from './names.js';
import {
  accepts,
  type Loader,
  loader,
  type Options,
  otherPath,
  type Remark,
  type Rule,
  refuse,
  type Verdict,
  warn,
} from './rule.js';
import { isSince, parseXenVersion, type XenVersion } from './xen-version.js';

/** What an image was found in. */
export interface Wrapped {
  readonly facts: ContainerFacts;
  /** The file as it stands. */
  readonly outer: ByteSource;
}

interface View {
  readonly facts: ContainerFacts;
  readonly outer: ByteSource;
  readonly version: XenVersion;
}

type Wrapper = ContainerFacts['kind'];

const DOM0 = 'xen/arch/x86/bzimage.c, bzimage_parse';
const GUNZIP = 'xen/common/gunzip.c, perform_gunzip';
const PROBE = 'tools/libs/guest/xg_dom_bzimageloader.c, xc_dom_probe_bzimage_kernel';
const CORE = 'tools/libs/guest/xg_dom_core.c';
const GRUB_GZIO = 'grub-core/io/gzio.c, test_gzip_header';
const GRUB_XEN = 'grub-core/loader/i386/xen_file.c, grub_xen_file';

const NO_DOM0 = 'Could not construct domain 0';
const NO_LOADER = 'xc_dom_find_loader: no loader found: Invalid kernel';
const GIB = 0x40000000n;
/** The toolstack unpacks into a buffer with that much to spare. */
const SPARE = 16n;
const CONTINUATION = 2;

/** Wrapped as gzip it is taken by all that take any. */
const AS_GZIP = wrapperFix({ payload: 'extract', compressor: 'gzip' });

/** Taken out it is taken by all that take the kernel. */
const AS_ELF = wrapperFix({ payload: 'extract' });

function gzipOf({ facts }: View): GzipFacts | undefined {
  return facts.kind === 'gzip' ? facts : undefined;
}

/** The rule of loaders that take the unpacked size from the end of the file. */
function sizeFromEnd(source: string, judge: (gzip: GzipFacts) => Remark | undefined): Rule<View> {
  return {
    name: 'gzip-size',
    source,
    because:
      'the last 4 bytes of the file are taken as the unpacked size: only with one member and nothing behind it they are',
    run(view) {
      const gzip = gzipOf(view);
      return gzip === undefined || gzip.behind.size === 0n ? undefined : judge(gzip);
    },
  };
}

function behindText({ behind, lastWord, unpackedSize }: GzipFacts): string {
  const what = behind.kind === 'member' ? 'a second member follows' : `${behind.size} bytes follow the gzip data`;
  return `${what}, so the size is taken as ${hex(lastWord)}, not ${hex(unpackedSize)}`;
}

/** The streams that this reader refuses, by its release. */
function unpacks(source: string, reader: Demand['reader'], otherwise: string): Rule<View> {
  return {
    name: 'unpacks',
    source,
    because: 'each reader is built with some decompressors, and each of those has limits of its own',
    run(view) {
      const { facts, version } = view;
      const demand = facts.demands.find((each) => each.reader === reader && !takenBy(each, version));
      if (demand === undefined) return undefined;
      return refuse(demand.says ?? otherwise, { reason: demand.what, cure: AS_GZIP });
    },
  };
}

function takenBy({ takenSince }: Demand, version: XenVersion): boolean {
  const since = takenSince === undefined ? undefined : parseXenVersion(takenSince);
  return since !== undefined && isSince(version, since);
}

function knowsZstd(source: string, message: string): Rule<View> {
  return {
    name: 'knows-zstd',
    source,
    because: 'zstd is unpacked since Xen 4.15',
    until: '4.15',
    run(view) {
      if (view.facts.format !== 'zstd') return undefined;
      return refuse(message, { reason: 'Xen before 4.15 does not know zstd', cure: AS_GZIP });
    },
  };
}

const HYPERVISOR_STREAM: readonly Rule<View>[] = [
  {
    name: 'size-word',
    source: `${DOM0}, output_length`,
    because: 'memory for the kernel is taken by the last 4 bytes, whatever they are',
    run(view) {
      if (view.facts.kind !== 'stream' || view.facts.sizeWord) return undefined;
      const reason = 'the file does not end with the unpacked size: no memory, a panic, or luck';
      return refuse(NO_DOM0, { reason, cure: AS_GZIP });
    },
  },
  knowsZstd('xen/common/decompress.c, decompress', NO_DOM0),
  unpacks('xen/common/decompress.c, decompress', 'hypervisor', NO_DOM0),
];

const HYPERVISOR: Readonly<Record<Wrapper, readonly Rule<View>[]>> = {
  gzip: [
    {
      name: 'gzip-flags',
      source: 'xen/common/gzip/inflate.c, gunzip',
      because: 'a header with bit 1 (FHCRC, once: continuation) is refused',
      run({ facts }) {
        const refused = facts.kind === 'gzip' && (facts.flags & CONTINUATION) !== 0;
        return refused ? refuse('Multi part input', { reason: 'bit 1 of the header flags is set' }) : undefined;
      },
    },
    sizeFromEnd(GUNZIP, (gzip) => {
      const more = { reason: behindText(gzip), cure: AS_GZIP };
      if (gzip.lastWord > GIB) return refuse('Xen panics: no memory of that size', more);
      return gzip.lastWord < gzip.unpackedSize
        ? refuse('ELF: not an ELF binary', more)
        : warn(`${behindText(gzip)}: more memory is used`, more.cure);
    }),
  ],
  bzimage: HYPERVISOR_STREAM,
  stream: HYPERVISOR_STREAM,
};

const TOOLSTACK: Readonly<Partial<Record<Wrapper, readonly Rule<View>[]>>> = {
  gzip: [
    sizeFromEnd(`${CORE}, xc_dom_check_gzip, xc_dom_do_gunzip`, (gzip) => {
      const more = { reason: behindText(gzip), cure: AS_GZIP };
      if (gzip.lastWord > GIB)
        return refuse(NO_LOADER, { ...more, reason: `${more.reason}; above 1 GiB it is left packed` });
      return gzip.lastWord + SPARE < gzip.unpackedSize
        ? refuse('xc_dom_do_gunzip: inflate failed (rc=-5): Internal error', more)
        : warn(behindText(gzip), more.cure);
    }),
  ],
  bzimage: [
    knowsZstd(PROBE, NO_LOADER),
    // What the decompressor says is logged; what ends the load is that no loader is left.
    { ...unpacks(PROBE, 'toolstack', NO_LOADER), run: (view) => toolstackUnpacks(view) },
  ],
};

function toolstackUnpacks(view: View): Remark | undefined {
  const remark = unpacks(PROBE, 'toolstack', '').run(view);
  if (remark === undefined || !('kind' in remark) || remark.kind !== 'refuse') return undefined;
  const { message, reason = '' } = remark;
  return { ...remark, message: NO_LOADER, reason: message === '' ? reason : `${message}: ${reason}` };
}

/** GRUB reads every file through its decompressors, as far as their modules are there. */
const grubGzip = (message: string): Rule<View> =>
  sizeFromEnd(GRUB_GZIO, (gzip) =>
    gzip.lastWord < gzip.unpackedSize ? refuse(message, { reason: behindText(gzip) }) : undefined,
  );

const GRUB_FORMATS: ReadonlySet<BzImageFacts['format']> = new Set(['gzip', 'xz', 'stored']);

/** The file filters that unpack what they know by its first bytes; what follows the stream has to be none. */
const GRUB_FILTERS: ReadonlyMap<ContainerFacts['format'], string> = new Map([
  ['xz', 'xzio'],
  ['lzo', 'lzopio'],
]);

const grubStream = (message: string): Rule<View> => ({
  name: 'unpacks',
  source: 'grub-core/io/xzio.c; grub-core/io/lzopio.c',
  because: 'files are read through the decompressors whose modules are loaded: gzip, xz, lzop',
  run(view) {
    const { facts } = view;
    const module = GRUB_FILTERS.get(facts.format);
    const whole = facts.kind === 'stream' && !facts.sizeWord;
    if (module !== undefined && whole) return warn(`only where GRUB has loaded ${module}`);
    const reason = module === undefined ? `GRUB does not unpack ${facts.format}` : 'a size word follows the stream';
    return refuse(message, { reason, cure: AS_GZIP });
  },
});

const GRUB: Readonly<Partial<Record<Wrapper, readonly Rule<View>[]>>> = {
  gzip: [grubGzip('not xen image')],
  stream: [grubStream('not xen image')],
  bzimage: [
    {
      name: 'unpacks',
      source: GRUB_XEN,
      because: 'the payload is read through the decompressors for files: gzip and xz',
      run(view) {
        const { facts } = view;
        const spare = facts.kind === 'bzimage' && facts.format === 'xz' ? facts.spare : 0n;
        if (GRUB_FORMATS.has(facts.format) && spare === 0n) return undefined;
        const reason =
          spare > 0n
            ? `${spare} bytes between the xz stream and the size word: the stream is read from its end`
            : `the payload is ${facts.format}; GRUB unpacks gzip and xz`;
        return refuse('not xen image', { reason, cure: AS_GZIP });
      },
    },
  ],
};

const NO_HEADER = 'no multiboot header found';
const GRUB_MULTIBOOT = { gzip: [grubGzip(NO_HEADER)], stream: [grubStream(NO_HEADER)] };

const LIBKRUN_FORMATS: ReadonlySet<ContainerFacts['format']> = new Set(['gzip', 'bzip2', 'zstd']);

/** It looks for the magic of the format that its caller names, wherever it stands, and enters what is inside at e_entry. */
const LIBKRUN: Rule<View> = {
  name: 'unpacks',
  source: 'libkrun src/vmm/src/builder.rs, load_external_kernel: KernelFormat',
  because: 'its caller says what the file is; a kernel in a stream is started as Linux, never by PVH',
  run({ facts: { format } }) {
    if (LIBKRUN_FORMATS.has(format))
      return otherPath(
        `starts the kernel in the ${format} stream at e_entry in 64-bit mode, where its caller says so`,
        AS_ELF,
      );
    return refuse('Invalid Elf magic number', { reason: `it unpacks no ${format}`, cure: AS_ELF });
  },
};

/** By the name of the loader: the wrappers that it looks through. */
const UNWRAPPING: Readonly<Record<LoaderName, Readonly<Partial<Record<Wrapper, readonly Rule<View>[]>>>>> = {
  'xen-pv': TOOLSTACK,
  'xen-pvh': TOOLSTACK,
  'xen-dom0-pv': HYPERVISOR,
  'xen-dom0-pvh': HYPERVISOR,
  uefi: {},
  shim: {},
  'grub-secure-boot': {},
  'qemu-pvh': {},
  'qemu-multiboot': {},
  firecracker: {},
  'cloud-hypervisor': {},
  libkrun: { gzip: [LIBKRUN], stream: [LIBKRUN], bzimage: [LIBKRUN] },
  crosvm: {},
  openvmm: {},
  'grub-xen': GRUB,
  'grub-multiboot': GRUB_MULTIBOOT,
  'grub-multiboot2': GRUB_MULTIBOOT,
  limine: {},
  kexec: { gzip: [] },
};

/** Does the loader unpack such a wrapper? */
export function looksThrough(name: string, wrapper: Wrapper): boolean {
  return Object.entries(UNWRAPPING).some(([loaderName, rules]) => loaderName === name && rules[wrapper] !== undefined);
}

/** The verdict on an image that was found in a wrapper. */
export function judgeWrapped(each: Loader, inside: ByteSource, wrapped: Wrapped, options: Options): Verdict {
  const { facts, outer } = wrapped;
  const rules = UNWRAPPING[each.name][facts.kind];
  if (rules === undefined) return each.judge(outer, options);
  const wrapper = loader<View>({
    name: each.name,
    open: () => ({ facts, outer, version: options.xenVersion }),
    rules,
    values: () => ({}),
  }).judge(outer, options);
  if (!accepts(wrapper)) return wrapper;
  const kernel = each.judge(inside, options);
  const warnings = [...wrapper.warnings, ...kernel.warnings];
  const outcome = kernel.outcome === 'accepted' && warnings.length > 0 ? 'with-warnings' : kernel.outcome;
  return { ...kernel, outcome, warnings, rules: [...wrapper.rules, ...kernel.rules] };
}
