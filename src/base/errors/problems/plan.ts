import { hex } from '../hex.js';
import { problem } from '../problem.js';

/** Refusals of the planning and layout stages. */
export const planProblems = {
  'plan.relocatable': problem<{ type: string }>({
    exit: 2,
    text: (c) => `found ${c.type}, wanted a linked image (ET_EXEC or ET_DYN)`,
    hint: 'Link it first; notes in an object file are the linker script’s business',
    meaning:
      'A relocatable object has no segments: the linker decides where its notes go, and drops anything written here. A ' +
      'core file describes a process that has ended.',
  }),
  'plan.unsound': problem<{ what: string; check: string }>({
    exit: 2,
    text: (c) => `the image breaks ${c.check} already: ${c.what}`,
    hint: 'Nothing is written into an image whose headers contradict themselves',
    meaning:
      'Some header says something that cannot be true: bytes behind the end of the file, more file bytes than memory in a ' +
      'PT_LOAD, an alignment that is not a power of two, an address range that wraps. Loaders disagree about such images, ' +
      'so an edit could not be proved harmless.',
  }),
  'plan.signed': problem<{ end: bigint; why: string | undefined }>({
    exit: 2,
    text: ({ end, why }) => {
      const found = `found an appended signature that ends at ${hex(end)}`;
      return why === undefined ? `${found}, wanted an unsigned image` : `${found} and cannot be taken off: ${why}`;
    },
    hint: ({ why }) =>
      why === undefined
        ? '--strip-signature takes it off; the result has to be signed again where the loader wants that'
        : 'Take the image as it was before it was signed',
    meaning:
      'A signature appended behind the image (a last line ~Module signature appended~) covers every byte in front of it. ' +
      'Any edit makes it invalid. --strip-signature takes off what its own lengths say, where no header speaks of it.',
  }),
  'plan.no-edit': problem<Record<never, never>>({
    exit: 2,
    text: () => 'no edit was asked for',
    hint: 'Give --set NAME=VALUE, --preset NAME, --unset NAME, --clear, --copy-from, --from-legacy or --spec',
    meaning: 'patch needs at least one edit; without one there is nothing to plan, to check or to write.',
  }),
  'plan.no-legacy': problem<Record<never, never>>({
    exit: 2,
    text: () => 'found no __xen_guest section, wanted one for --from-legacy',
    meaning: 'The legacy string lives in a section named __xen_guest; the image has none, or it is empty.',
  }),
  'plan.no-notes-to-copy': problem<Record<never, never>>({
    exit: 2,
    text: () => 'found no Xen note to copy',
    hint: 'notes shows what that image holds',
    meaning: '--copy-from takes the Xen notes of another image; that one has none.',
  }),
  'plan.notes-apart': problem<{ names: string }>({
    exit: 2,
    text: (c) => `found notes that would change their size in ${c.names}, wanted them in one place`,
    hint: 'Give the edits one at a time',
    meaning:
      'Notes of other owners are rewritten in the PT_NOTE in which they stand, and one run rewrites one. Notes that keep ' +
      'their size are overwritten wherever they are.',
  }),
  'plan.which-note': problem<{ owner: string; type: number; count: number }>({
    exit: 2,
    text: (c) =>
      `found ${c.count} notes ${c.owner}:${c.type > 0xffff ? hex(BigInt(c.type)) : c.type} that say different things, and nothing tells which is to be replaced`,
    hint: '--remove OWNER:TYPE in the same run replaces all of them, stamp --add-note puts one more beside them',
    meaning:
      'A note is known by its owner and type. Images that are linked from libraries with notes of their own (package ' +
      'metadata, dlopen metadata) have several of one kind, each of which says something else.',
  }),
  'plan.unreadable-note': problem<{ area: string; why: string; edit: string | undefined; byPatch: boolean }>({
    exit: 2,
    text: (c) => `cannot rewrite the notes of ${c.area}: ${c.why}`,
    hint: ({ edit, byPatch }) => {
      if (edit === undefined) return 'Fix it where the image is built: nothing here tells what was meant';
      return byPatch ? `Add ${edit} to the edit: the damaged note itself` : `First fix the damaged note: patch ${edit}`;
    },
    meaning:
      'The edit has to copy every note of this area, and one of them cannot be read whole: it claims more bytes than the ' +
      'area has. Copying it would mean guessing. Where it is one of Xen’s, an edit of that note itself writes it anew.',
  }),
  'plan.no-symbol': problem<{ name: string; stripped: boolean; nearest: readonly string[] }>({
    exit: 2,
    text: (c) =>
      c.stripped ? `cannot look up ${c.name}: the image has no symbol table` : `found no symbol ${c.name} in .symtab`,
    hint: (c) =>
      c.stripped
        ? 'Give the address as a number, or patch the image before it is stripped'
        : c.nearest.length > 0
          ? `Did you mean ${c.nearest.join(' or ')}?`
          : 'Give the address as a number; nm lists the symbols of the image',
    meaning: 'sym:NAME and phys:NAME read the value of a symbol from .symtab.',
  }),
  'plan.ambiguous-symbol': problem<{ name: string; values: readonly bigint[] }>({
    exit: 2,
    text: (c) => `found ${c.values.length} symbols ${c.name} (${c.values.map(hex).join(', ')}), wanted one`,
    hint: 'Give the address as a number',
    meaning: 'Several local symbols bear this name and their values differ; no global one decides.',
  }),
  'plan.no-load-holds': problem<{ what: string; address: bigint }>({
    exit: 2,
    text: (c) => `cannot map ${c.what} = ${hex(c.address)} to a physical address: no PT_LOAD holds it`,
    hint: 'Give the physical address as a number',
    meaning: 'phys: subtracts p_vaddr and adds p_paddr of the PT_LOAD that holds the address; none does.',
  }),
  'plan.value-too-wide': problem<{ note: string; value: bigint; width: number }>({
    exit: 2,
    text: (c) => `${c.note} = ${hex(c.value)} does not fit ${c.width} bytes`,
    hint: 'Xen reads numbers of 1, 2, 4 or 8 bytes; a width suffix chooses (NAME/8=…)',
    meaning: 'The value, worked out from the image, is negative or too large for the width of the note.',
  }),
  'plan.bad-file': problem<{ reason: string }>({
    exit: 2,
    text: (c) => `cannot take the value from the file: ${c.reason}`,
    meaning: 'file:PATH makes the bytes of a file the descriptor of a note.',
  }),
  'plan.unknown-preset': problem<{ name: string; known: string; hint?: string | undefined }>({
    exit: 2,
    text: (c) => `found the preset ${c.name}, wanted ${c.known}`,
    hint: (c) => c.hint ?? 'xen-elfpatch explain presets',
    meaning: 'A preset is pv, pv32, pvh or pv+pvh, each with +dom0 if wanted.',
  }),
  'plan.preset-mismatch': problem<{ preset: string; wanted: string; found: string }>({
    exit: 2,
    text: (c) => `preset ${c.preset} is for ${c.wanted}, found ${c.found}`,
    meaning: 'Xen takes the guest type from the class and machine of the image; a preset for another type cannot work.',
  }),
  'plan.preset-missing': problem<{ preset: string; note: string; why: string }>({
    exit: 2,
    text: (c) => `preset ${c.preset} cannot fill in ${c.note}: ${c.why}`,
    hint: (c) =>
      `Give it yourself by --set ${c.note}, as an address or as the symbol that stands there (explain values)`,
    meaning:
      'A preset fills in what a loader requires from what the image tells: symbols, e_entry, PT_LOAD addresses. Where the ' +
      'image does not tell, nothing is guessed.',
  }),
  'plan.impossible': problem<{
    refused: readonly { placement: string; reason: string }[];
    /** The image has PT_INTERP or PT_PHDR, as a kernel need not. */
    isLinkedAsProgram?: boolean | undefined;
  }>({
    exit: 2,
    text: (c) => `no placement works: ${c.refused.map((r) => `${r.placement}: ${r.reason}`).join('; ')}`,
    hint: (c) =>
      c.isLinkedAsProgram === true
        ? 'Link the kernel with ld --no-dynamic-linker: without PT_INTERP and PT_PHDR its program headers may grow or move'
        : 'xen-elfpatch explain placements tells what each one needs',
    meaning:
      'Each placement has preconditions; the message says, with numbers, which one failed for each that was tried. With ' +
      '--placement only the named one is tried.',
  }),
  'plan.program': problem<{ what: string; refused: readonly { placement: string; reason: string }[] }>({
    exit: 2,
    text: (c) =>
      `${c.what}; no placement leaves what it finds when it runs: ` +
      c.refused.map((r) => `${r.placement}: ${r.reason}`).join('; '),
    hint: 'If it is a kernel, say so: --kind kernel',
    meaning:
      'execve hands a program the address of its program headers in memory, and the C library reads them there: for thread ' +
      'storage, relocation and the rights of stacks. Moving the table, or taking PT_GNU_STACK for the notes, breaks a ' +
      'program that ran. What shows a kernel (Xen notes, a Multiboot header, p_paddr unlike p_vaddr, addresses in the upper ' +
      'half) outweighs what shows a program.',
  }),
  'plan.too-many-headers': problem<{ headers: number; limit: number }>({
    exit: 2,
    text: (c) => `found ${c.headers} program headers, wanted at most ${c.limit}`,
    hint: 'verify --for says where a loader ends',
    meaning:
      'fix judges the plan of every edit that it tries, which takes long where a file has tens of thousands of program headers. ' +
      'Real kernels have a dozen.',
  }),
} as const;
