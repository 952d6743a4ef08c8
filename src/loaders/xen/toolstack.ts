/** Guests built by the toolstack (xl, libxl): tools/libs/guest (tools/libxc before 4.15). */

import { hex } from '../../base/errors/hex.js';
import { EI_CLASS, ELFCLASS32, EM_X86_64 } from '../../formats/elf/names.js';
import { featureMask } from '../../formats/note/features.js';
import { preset, setText } from '../../formats/note/fix.js';
import { mebibytes } from '../memory.js';
import { firstEnd, type Loader, loader, lost, otherPath, type Rule, refuse, warn } from '../rule.js';
import { HIDDEN_FAULTS } from './accepted-but-broken.js';
import { FILE_SIZE, NOT_BZIMAGE, NOT_GZIP, NOT_MULTIBOOT_BINARY } from './containers.js';
import { mend, mendFeatures, notRequired } from './mend.js';
import { XenParse } from './parse.js';
import { INIT_RULES, PARSE_RULES } from './parser-rules.js';
import { guestType, xenValues } from './values.js';

const CORE = 'tools/libs/guest/xg_dom_core.c';
const X86 = 'tools/libs/guest/xg_dom_x86.c';
const ELF = 'tools/libs/guest/xg_dom_elfloader.c';

const NO_LOADER = 'xc_dom_find_loader: no loader found: Invalid kernel';
const DOM0_BIT = featureMask('dom0');
const AUTO_TRANSLATED_BIT = featureMask('auto_translated_physmap');
const PAGE = 0x1000n;

/** While it probes, the toolstack is silent: all the user sees is that no loader took the file. */
function silently(rule: Rule<XenParse>): Rule<XenParse> {
  return {
    ...rule,
    run(parse) {
      const remark = rule.run(parse);
      if (remark === undefined || !('kind' in remark) || remark.kind !== 'refuse') return remark;
      const { message, reason } = remark;
      const told = message.startsWith('(') ? reason : reason === undefined ? message : `${message}; ${reason}`;
      return { ...remark, message: NO_LOADER, reason: told };
    },
  };
}

/** In an HVM container what the parser refuses is taken for firmware, before anything else is tried. */
const NOT_FIRMWARE: Rule<XenParse> = {
  name: 'not-firmware',
  source: 'tools/libs/guest/xg_dom_hvmloader.c, xc_dom_probe_hvm_kernel',
  because: 'an ELF whose notes do not hold is taken for HVM firmware: ELF32 is started at e_entry, ELF64 refused',
  run(parse) {
    if (firstEnd(INIT_RULES, parse, parse.version) !== undefined) return undefined;
    const why = firstEnd(PARSE_RULES, parse, parse.version);
    if (why === undefined) return undefined;
    const reason = why.message.startsWith('(') && why.kind === 'refuse' ? why.reason : why.message;
    if (parse.image.ident[EI_CLASS] === ELFCLASS32) {
      const entry = hex(parse.image.header.e_entry);
      return otherPath(`taken for HVM firmware and entered at e_entry ${entry}, without notes: ${reason}`, why.cure);
    }
    return refuse('xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel', { reason, cure: why.cure });
  },
};

const NOT_DOM0_ONLY: Rule<XenParse> = {
  name: 'not-dom0-only',
  source: `${ELF}, xc_dom_parse_elf_kernel`,
  because: 'a kernel that requires to be dom0 cannot be a guest',
  run(parse) {
    if ((parse.parameters.required & DOM0_BIT) === 0) return undefined;
    return refuse('xc_dom_parse_elf_kernel: Kernel does not support unprivileged (DomU) operation: Invalid kernel', {
      reason: 'FEATURES has !dom0',
      cure: mendFeatures(parse, notRequired('dom0')),
    });
  },
};

const HAS_PHYS32_ENTRY: Rule<XenParse> = {
  name: 'phys32-entry',
  source: `${X86}, xc_dom_guest_type`,
  because: 'a PVH guest is entered at PHYS32_ENTRY and nowhere else',
  run(parse) {
    if (parse.parameters.physEntry !== undefined) return undefined;
    return refuse('xc_dom_guest_type: image not capable of booting inside a HVM container: Invalid kernel', {
      reason: 'there is no PHYS32_ENTRY',
      cure: mend(parse, preset('pvh')),
    });
  },
};

const PV_GUEST_TYPE: Rule<XenParse> = {
  name: 'guest-type',
  source: `${X86}, xc_dom_guest_type; ${CORE}, xc_dom_compat_check`,
  because: 'e_machine and PAE_MODE name a kind of guest that the hypervisor must offer; the class is not looked at',
  run(parse) {
    const type = guestType(parse);
    if (type === undefined) {
      return refuse(`xc_dom_guest_type: unknown image type ${parse.machine}: Invalid kernel`, {
        reason: 'PV guests are EM_386 or EM_X86_64',
      });
    }
    if (type === 'xen-3.0-x86_32') {
      return refuse('guest type xen-3.0-x86_32 not supported by xen kernel, sorry', {
        reason: 'PAE_MODE is neither yes nor bimodal, and 32-bit guests without PAE are no more',
        cure: mend(parse, setText('PAE_MODE', 'yes')),
      });
    }
    if (parse.is64 !== (type === 'xen-3.0-x86_64')) {
      return warn(`ELF${parse.bits} with e_machine ${parse.machine} is built as ${type}`);
    }
    if (type === 'xen-3.0-x86_32p') {
      return warn('needs a Xen with 32-bit PV (CONFIG_PV32), or pvshim=1: not every build has it');
    }
    return undefined;
  },
};

const START_ALIGNED: Rule<XenParse> = {
  name: 'start-page-aligned',
  source: `${CORE}, xc_dom_alloc_pad`,
  because: 'guest memory is handed out in pages: the image has to begin on one',
  run({ addresses: { kstart } }) {
    if (kstart % PAGE === 0n) return undefined;
    return refuse(`xc_dom_alloc_pad: segment boundary isn't page aligned (${hex(kstart)})`);
  },
};

/** No guest has more. */
const LARGEST_GUEST = 1n << 44n;

/** From the address where the guest's memory begins to the end of the image; undefined where no guest is so large. */
function spanOf({ addresses: { virtBase, kend } }: XenParse): bigint | undefined {
  const span = BigInt.asUintN(64, kend - virtBase);
  return span <= LARGEST_GUEST ? span : undefined;
}

const IN_MEMORY: Rule<XenParse> = {
  name: 'in-memory',
  source: `${CORE}, xc_dom_chk_alloc_pages`,
  because: 'memory is handed out from VIRT_BASE (PVH: from 0) on: padding up to the image, then the image',
  run(parse) {
    const { addresses, memory } = parse;
    const { virtBase, kstart, kend } = addresses;
    const total = memory / PAGE;
    const padding = BigInt.asUintN(64, kstart - virtBase) / PAGE;
    const image = (BigInt.asUintN(64, kend - kstart) + PAGE - 1n) / PAGE;
    if (padding + image <= total) return undefined;
    const [name, pages, used] = padding > total ? ['padding', padding, 0n] : ['kernel', image, padding];
    return refuse(
      `xc_dom_chk_alloc_pages: segment ${name} too large (${hex(pages)} > ${hex(total)} - ${hex(used)} pages): Out of memory`,
      {
        reason: `the image reaches from ${hex(kstart)} to ${hex(kend)}, and memory of ${mebibytes(memory)} begins at ${hex(virtBase)}`,
        needs: spanOf(parse),
      },
    );
  },
};

const NO_AUTO_TRANSLATION: Rule<XenParse> = {
  name: 'no-auto-translation',
  source: `${X86}, meminit_pv`,
  because: 'PV guests with translated memory are no longer built',
  run(parse) {
    if ((parse.parameters.required & AUTO_TRANSLATED_BIT) === 0) return undefined;
    return refuse('PV guest with auto-translated physmap is not supported', {
      reason: 'FEATURES has !auto_translated_physmap',
      cure: mendFeatures(parse, notRequired('auto_translated_physmap')),
    });
  },
};

const P2M_USABLE: Rule<XenParse> = {
  name: 'p2m-usable',
  source: `${X86}, alloc_p2m_list_x86_64; ${ELF}, xc_dom_parse_elf_kernel`,
  because: 'the table is placed at INIT_P2M only if that is page aligned and below VIRT_BASE, in 64-bit guests',
  run({ parameters: { initP2m }, addresses: { virtBase }, machine }) {
    if (initP2m === undefined) return undefined;
    const used = machine === EM_X86_64 && initP2m % PAGE === 0n && initP2m < virtBase;
    return used ? undefined : warn(`INIT_P2M ${hex(initP2m)} is not used: the table follows the kernel`);
  },
};

/** Is HYPERCALL_PAGE an address that the toolstack can fill? */
export const HYPERCALL_PAGE_USABLE: Rule<XenParse> = {
  name: 'hypercall-page-usable',
  source: `${X86}, bootlate_pv and xg_dom_boot.c, setup_hypercall_page`,
  because: 'the page that holds the address is filled: an address that is not a page overwrites what is in front of it',
  run({ parameters: { hypercallPage: page }, addresses: { virtBase, kend } }) {
    if (page === undefined) return undefined;
    if (page < virtBase || page >= kend)
      return warn(`HYPERCALL_PAGE ${hex(page)} is outside the image: filling it fails`);
    return page % PAGE === 0n
      ? undefined
      : lost(`HYPERCALL_PAGE ${hex(page)} is not page aligned: what stands in front of it is filled`);
  },
};

/** The toolstack building a PV domU (tools/libs/guest). */
export const xenPv: Loader = loader<XenParse>({
  name: 'xen-pv',
  open: (source, options) => new XenParse(source, 'pv', options),
  rules: [
    FILE_SIZE,
    NOT_GZIP,
    NOT_MULTIBOOT_BINARY,
    NOT_BZIMAGE,
    ...[...INIT_RULES, ...PARSE_RULES].map(silently),
    NOT_DOM0_ONLY,
    PV_GUEST_TYPE,
    START_ALIGNED,
    IN_MEMORY,
    NO_AUTO_TRANSLATION,
    P2M_USABLE,
    HYPERCALL_PAGE_USABLE,
    ...HIDDEN_FAULTS,
  ],
  values: xenValues,
  needsMemory: spanOf,
});

/** The toolstack building a PVH domU (tools/libs/guest). */
export const xenPvh: Loader = loader<XenParse>({
  name: 'xen-pvh',
  open: (source, options) => new XenParse(source, 'hvm', options),
  rules: [
    FILE_SIZE,
    NOT_GZIP,
    NOT_MULTIBOOT_BINARY,
    NOT_FIRMWARE,
    NOT_BZIMAGE,
    ...[...INIT_RULES, ...PARSE_RULES].map(silently),
    NOT_DOM0_ONLY,
    HAS_PHYS32_ENTRY,
    START_ALIGNED,
    IN_MEMORY,
    ...HIDDEN_FAULTS,
  ],
  values: xenValues,
  needsMemory: spanOf,
});
