import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain containers`: kernels inside gzip files and bzImages. Linux Documentation/arch/x86/boot.rst. */
export const containers: Page = {
  name: 'containers',
  title: 'Containers: notes inside vmlinuz and gzip files',
  blocks: [
    text`Installed kernels are seldom bare ELF files. A gzip file (xen.gz, a NetBSD kernel) or a Linux bzImage (vmlinuz) holds
      the ELF compressed, and Xen takes the notes out of that ELF. Every command that reads looks through both, told by
      their bytes and not by their name, and says so; patch, fix and stamp write into them.`,
    heading('What is read'),
    table(
      ['file', 'notes', 'writing'],
      ['ELF', 'read', 'as always'],
      ['gzip of an ELF', 'read', 'compressed again, one member, the same bytes everywhere'],
      ['bzImage, boot protocol 2.08 or later', 'read', 'attach, replace, extract, detach'],
      ['ELF compressed as a whole by anything else', 'read', '--payload extract --compressor gzip wraps it anew'],
      [
        'arm64 or RISC-V Image, zboot, uImage, EFI program',
        'refused',
        'Xen reads no notes there; the message says why',
      ],
      ['unified kernel image', 'refused', 'take .linux out, patch that, build the image again'],
    ),
    text`gzip, zstd and lz4 are unpacked without help; xz, lzma, bzip2 and lzo by the programs xz, bzip2 and lzop. Without
      these, xz, lzma and bzip2 still are, where npm installed what is optional. What is unpacked may have 1 GiB.`,
    heading('Who unpacks what'),
    table(
      ['reader', 'gzip file', 'payload of a bzImage'],
      ['hypervisor (dom0)', 'yes', 'gzip, xz, zstd, lz4, lzma, bzip2, lzo'],
      ["Xen's tools (xl)", 'yes', 'gzip, xz, zstd, lz4, lzma; bzip2 and lzo only where built in'],
      ['GRUB for Xen', 'yes', 'gzip, xz'],
      ['readnotes', 'yes', 'gzip'],
      ['GRUB, multiboot; kexec', 'yes', 'no: kexec starts it as Linux'],
      ['QEMU, Firecracker, Cloud Hypervisor', 'no', 'no: started as Linux where it is, notes play no part'],
    ),
    text`A stream can ask for more than a reader has: xz with CRC64, SHA-256 or a filter other than x86, zstd with a window above
      128 MiB, an xz dictionary above 64 MiB before Xen 4.20, bytes between the stream and its size word. verify says which,
      in the words of that reader. What attach writes is gzip, which all of them take.`,
    heading('Four ways with a bzImage'),
    list(
      'attach (unless another is named): a second, gzip\u0027d copy of the kernel with the new notes goes behind the first, ' +
        'and the header points at it. Only Xen and GRUB read that part of the header. Linux started by itself does not: it ' +
        'starts every byte that it started before. Any change of notes fits; the file grows by some 11 to 17 MB.',
      'replace: the payload itself is rebuilt where it stands. The file keeps its size, and Linux by itself starts the new ' +
        'one too. It fits only when the compressor does as well as the distributor\u0027s; that it does not is normal.',
      'extract: the ELF alone, or with --compressor gzip as an ELF.gz. --keep-tail keeps the relocation table behind it.',
      'detach: takes off what attach added. The result is the kernel before attach, without its signature.',
    ),
    code`
      $ xen-elfpatch notes /boot/vmlinuz-6.12
      $ xen-elfpatch fix vmlinuz --for xen-dom0-pv -o vmlinuz.xen
      $ xen-elfpatch patch vmlinuz -o vmlinuz.xen --set SUPPORTED_FEATURES=0x8801
      $ xen-elfpatch patch vmlinuz.xen --payload detach -o vmlinuz.before`,
    text`What linkers leave behind the kernel (zeros, and in Linux 6.17 and 6.18 the .modinfo strings of the decompressor) stays
      where it is with all but extract. Other bytes there belong to another tool, and the file is refused.`,
    heading('Signatures'),
    text`A Secure Boot signature covers nearly every byte, so an edit breaks it. A signed kernel is refused unless
      --strip-signature is given; the result has to be signed again where Secure Boot is on. The CRC-32 at the end of
      kernels up to 6.14 is kept right.`,
    heading('After attach'),
    text`The file holds two copies of the kernel that differ in notes only. extract-vmlinux shows the old one, readnotes and
      this command the new one; /sys/kernel/notes shows those of the copy that was started.`,
  ],
};
