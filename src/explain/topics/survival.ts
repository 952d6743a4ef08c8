import { SURVIVORS, TRIED, TRIED_PROGRAMS } from '../../edit/elf/plan/later-tools.js';
import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

const [VERSION = ''] = TRIED.strip.versions;

/** `explain survival`: what later build steps do to the notes; the versions that this was held against are those of the table. */
export const survival: Page = {
  name: 'survival',
  title: 'Survival: which later tools keep the notes',
  blocks: [
    text`A kernel is often stripped or converted after the link. Whether the notes live through that depends on where they
      stand and on whether a section covers them. The plan that patch --dry-run prints says which tools the result
      survives, worked out from the headers of the result; --must-survive strip,eu-strip,flat allows only placements that
      do. The tools are ${SURVIVORS.join(', ')}: eu-strip in place, eu-strip-o for eu-strip -o OUT, flat for objcopy -O binary,
      patchelf for an option that changes the file, as patchelf --set-rpath does. The forecasts were held against
      ${TRIED_PROGRAMS.join(', ')}, which --json names as tried. --must-survive strip@${VERSION} asks about one version; one
      that was not tried is refused as unknown. Which version this machine has is not looked at: the tool may run on
      another.`,
    table(
      ['notes stand', 'section', 'GNU', 'LLVM', 'eu-strip', 'flat binary'],
      ['in a PT_LOAD (extend)', 'allocated', 'kept', 'kept', 'kept', 'same size'],
      ['outside (append, shift)', 'not allocated', 'kept', 'kept', 'broken', 'same size'],
      ['outside', 'allocated', 'warning', 'kept', 'kept', 'broken'],
      ['table moved', 'not allocated', 'kept', 'kept', 'broken', 'same size'],
      ['outside', 'none', 'dropped', 'kept', 'broken', 'same size'],
    ),
    text`GNU stands for strip, strip -g and objcopy of binutils, LLVM for llvm-strip and llvm-objcopy, flat binary for
      objcopy -O binary of either. Notes that in-place or grow leave inside a PT_LOAD and under their allocated section
      are in the first row.`,
    list(
      'kept: the notes are found through the PT_NOTE afterwards and every PT_LOAD is the same. GNU tools may move an ' +
        'unloaded note and set its p_memsz to 0; loaders do not mind.',
      'warning: kept, and binutils says "allocated section not in segment".',
      'dropped: the PT_NOTE is left with offset 0 and size 0.',
      'broken, eu-strip: the section moves and the PT_NOTE keeps pointing at the old place, or beyond the end of the ' +
        'file. With a moved program header table that no section covers, the table itself is overwritten.',
      'broken, flat binary: an allocated section at address 0 makes the output begin at address 0, megabytes of zeros in ' +
        'front of the kernel, exit status 0. That is why an unloaded note section is not marked allocated.',
    ),
    list(
      'eu-strip with nothing to strip leaves the image alone in place, and writes it anew with -o, without the bytes that ' +
        'no section covers.',
      'without the edit as well: the tool damages the image whether or not it is patched. GNU tools build each PT_LOAD anew ' +
        'from its sections: bytes that no section covers, or a header table in a later PT_LOAD, are lost.',
      'unknown: this is not followed, and --must-survive refuses it. So it is with patchelf on a dynamic program: whether it ' +
        'writes into the old place or moves sections and headers depends on the option and on how long the new text is. ' +
        'Anything else it refuses and leaves alone.',
    ),
    heading('Rules of thumb'),
    list(
      'Patch the last ELF of the build, behind strip and objcopy, and the question does not arise.',
      'If it will be stripped later, ask for it: --must-survive strip, and eu-strip where a distribution uses elfutils.',
      'If a flat binary is made later: --must-survive flat.',
    ),
    code`
      $ xen-elfpatch patch vmlinux --preset pvh --must-survive strip,flat -o out`,
    heading('What removes notes for sure'),
    list(
      "objcopy -R '.note*' leaves empty PT_NOTEs behind. One of those, last in the table, hides the PVH note from " +
        'Firecracker and Cloud Hypervisor.',
      'A linker script with /DISCARD/ : { *(.note.*) } drops them without a message.',
      'A linker script with a PHDRS command and no PT_NOTE in it keeps the section and has no segment: Xen and GRUB find ' +
        'the notes, QEMU, Firecracker and Cloud Hypervisor do not. patch adds the segment.',
      'objcopy --add-section .note.Xen=FILE adds a section, never a segment, with the same result.',
    ),
    text`An image written by Xen's mkelf32 (xen-shim, hvmloader) is damaged by GNU strip and objcopy whether or not it was
      patched: its PT_LOAD is not covered by allocated sections.`,
  ],
};
