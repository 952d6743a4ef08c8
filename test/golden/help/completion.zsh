#compdef xen-elfpatch
# zsh completion for xen-elfpatch
_xen_elfpatch() {
  local -a commands list
  commands=('patch:write Xen notes into a linked ELF' 'notes:show the notes of an image and what Xen does with each' 'fix:why a loader does not take an image, and the smallest edit that fixes it' 'stamp:say in a note where an image came from: package metadata, build-id, any owner' 'diff:what differs between two images, in words' 'layout:the file and memory map, as text or as a picture' 'verify:is an image sound, and which loaders would start it?' 'linearize:make one xen.efi that UEFI and Multiboot2 both load' 'explain:explain a note, a preset, a loader or a problem' 'mkelf32:wrap xen-syms in the 32-bit ELF that boot loaders take, as Xen'\''s build does' 'completion:a script that completes commands, options and their choices')
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "${words[2]}:${words[CURRENT-1]}" in
    patch:--preset) compadd -- pv pv+dom0 pv32 pv32+dom0 pvh pvh+dom0 pv+pvh pv+pvh+dom0; return ;;
    patch:--set) compadd -S '' -- INFO= ENTRY= HYPERCALL_PAGE= VIRT_BASE= PADDR_OFFSET= XEN_VERSION= GUEST_OS= GUEST_VERSION= LOADER= PAE_MODE= FEATURES= BSD_SYMTAB= HV_START_LOW= L1_MFN_VALID= SUSPEND_CANCEL= INIT_P2M= MOD_START_PFN= SUPPORTED_FEATURES= PHYS32_ENTRY= PHYS32_RELOC=; return ;;
    patch:--unset) compadd -- INFO ENTRY HYPERCALL_PAGE VIRT_BASE PADDR_OFFSET XEN_VERSION GUEST_OS GUEST_VERSION LOADER PAE_MODE FEATURES BSD_SYMTAB HV_START_LOW L1_MFN_VALID SUSPEND_CANCEL INIT_P2M MOD_START_PFN SUPPORTED_FEATURES PHYS32_ENTRY PHYS32_RELOC; return ;;
    patch:--placement) compadd -- auto in-place grow append extend move-table shift new-load new-table; return ;;
    patch:--must-survive) compadd -- strip strip@2.40 objcopy objcopy@2.40 llvm-strip llvm-strip@14.0.6 llvm-objcopy llvm-objcopy@14.0.6 eu-strip eu-strip@0.188 eu-strip-o eu-strip-o@0.188 patchelf patchelf@0.14.3 flat flat@2.40; return ;;
    patch:--notes-align) compadd -- 4 8; return ;;
    patch:--kind) compadd -- kernel program; return ;;
    patch:--payload) compadd -- attach replace extract detach; return ;;
    patch:--record-format) compadd -- json in-toto; return ;;
    patch:--jobs) compadd -- 1 2 4 8; return ;;
    patch:--limit) compadd -- 64M 256M 1G; return ;;
    patch:--color) compadd -- auto always never; return ;;
    notes:--format) compadd -- text readnotes github sarif junit; return ;;
    notes:--jobs) compadd -- 1 2 4 8; return ;;
    notes:--limit) compadd -- 64M 256M 1G; return ;;
    notes:--color) compadd -- auto always never; return ;;
    fix:--for) compadd -- xen-pv xen-pvh xen-dom0-pv xen-dom0-pvh qemu-pvh qemu-multiboot firecracker cloud-hypervisor libkrun crosvm openvmm grub-xen grub-multiboot grub-multiboot2 limine kexec uefi shim grub-secure-boot linux-loader multiboot multiboot2; return ;;
    fix:--xen-version) compadd -- 4.7 4.8 4.9 4.10 4.11 4.12 4.13 4.14 4.15 4.16 4.17 4.18 4.19 4.20 4.21 4.22; return ;;
    fix:--memory) compadd -- 256M 512M 1G 4G; return ;;
    fix:--must-survive) compadd -- strip strip@2.40 objcopy objcopy@2.40 llvm-strip llvm-strip@14.0.6 llvm-objcopy llvm-objcopy@14.0.6 eu-strip eu-strip@0.188 eu-strip-o eu-strip-o@0.188 patchelf patchelf@0.14.3 flat flat@2.40; return ;;
    fix:--kind) compadd -- kernel program; return ;;
    fix:--payload) compadd -- attach replace extract; return ;;
    fix:--record-format) compadd -- json in-toto; return ;;
    fix:--jobs) compadd -- 1 2 4 8; return ;;
    fix:--limit) compadd -- 64M 256M 1G; return ;;
    fix:--color) compadd -- auto always never; return ;;
    stamp:--build-id) compadd -- keep sha1 sha256; return ;;
    stamp:--placement) compadd -- auto in-place grow append extend move-table shift new-load new-table; return ;;
    stamp:--must-survive) compadd -- strip strip@2.40 objcopy objcopy@2.40 llvm-strip llvm-strip@14.0.6 llvm-objcopy llvm-objcopy@14.0.6 eu-strip eu-strip@0.188 eu-strip-o eu-strip-o@0.188 patchelf patchelf@0.14.3 flat flat@2.40; return ;;
    stamp:--kind) compadd -- kernel program; return ;;
    stamp:--payload) compadd -- attach replace extract; return ;;
    stamp:--record-format) compadd -- json in-toto; return ;;
    stamp:--format) compadd -- text github sarif junit; return ;;
    stamp:--jobs) compadd -- 1 2 4 8; return ;;
    stamp:--limit) compadd -- 64M 256M 1G; return ;;
    stamp:--color) compadd -- auto always never; return ;;
    diff:--jobs) compadd -- 1 2 4 8; return ;;
    diff:--limit) compadd -- 64M 256M 1G; return ;;
    diff:--color) compadd -- auto always never; return ;;
    layout:--limit) compadd -- 64M 256M 1G; return ;;
    layout:--color) compadd -- auto always never; return ;;
    verify:--for) compadd -- xen-pv xen-pvh xen-dom0-pv xen-dom0-pvh qemu-pvh qemu-multiboot firecracker cloud-hypervisor libkrun crosvm openvmm grub-xen grub-multiboot grub-multiboot2 limine kexec uefi shim grub-secure-boot linux-loader multiboot multiboot2; return ;;
    verify:--xen-version) compadd -- 4.7 4.8 4.9 4.10 4.11 4.12 4.13 4.14 4.15 4.16 4.17 4.18 4.19 4.20 4.21 4.22; return ;;
    verify:--memory) compadd -- 256M 512M 1G 4G; return ;;
    verify:--format) compadd -- text github sarif junit; return ;;
    verify:--jobs) compadd -- 1 2 4 8; return ;;
    verify:--limit) compadd -- 64M 256M 1G; return ;;
    verify:--color) compadd -- auto always never; return ;;
    linearize:--mb2) compadd -- auto append gap none; return ;;
    linearize:--record-format) compadd -- json in-toto; return ;;
    linearize:--color) compadd -- auto always never; return ;;
    mkelf32:--note) compadd -S '' -- INFO= ENTRY= HYPERCALL_PAGE= VIRT_BASE= PADDR_OFFSET= XEN_VERSION= GUEST_OS= GUEST_VERSION= LOADER= PAE_MODE= FEATURES= BSD_SYMTAB= HV_START_LOW= L1_MFN_VALID= SUSPEND_CANCEL= INIT_P2M= MOD_START_PFN= SUPPORTED_FEATURES= PHYS32_ENTRY= PHYS32_RELOC=; return ;;
    mkelf32:--record-format) compadd -- json in-toto; return ;;
  esac
  case "${words[2]}" in
    patch) list=(--clear --from-legacy --copy-from --preset --spec --set --unset --placement --loaded --not-loaded --section --must-survive --notes-align --kind --payload --compressor --strip-signature --keep-tail --output --in-place --if-changed --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verbose --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version) ;;
    notes) list=(--xen --raw --all --strict --json --format --require-xen --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version) ;;
    fix) list=(--for --xen-version --memory --loaded --not-loaded --must-survive --kind --payload --compressor --strip-signature --keep-tail --output --in-place --if-changed --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verbose --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version) ;;
    stamp) list=(--package-metadata --date --build-id --note --add-note --remove --sbat --allow-sbat-downgrade --sbom --add-section --placement --loaded --not-loaded --must-survive --kind --payload --compressor --strip-signature --keep-tail --output --in-place --if-changed --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verbose --format --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version) ;;
    diff) list=(--baseline-dir --recursive --files0-from --jobs --json-lines --json --limit --color --config --print-config --quiet --help --version) ;;
    layout) list=(--compare --svg --html --sizes --physical --json --limit --color --config --print-config --quiet --help --version) ;;
    verify) list=(--baseline --for --xen-version --memory --check-record --rules --strict --json --format --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version) ;;
    linearize) list=(--mb2 --entry --mb1 --phys-base --bss-align --header-size --keep-reloc --merge --file-align --image --tail --drop-signature --output --in-place --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verify --baseline --color --config --print-config --quiet --help --version) ;;
    explain) list=(--json --config --print-config --quiet --help --version) ;;
    mkelf32) list=(--notes --compat --list-compat --tidy --note --keep --record --record-format --strict --json --config --print-config --quiet --help --version) ;;
    completion) list=(--config --print-config --quiet --help --version) ;;
  esac
  if [[ "${words[CURRENT]}" == -* ]]; then
    compadd -- $list
  else
    case "${words[2]}" in
      explain) compadd -- INFO ENTRY HYPERCALL_PAGE VIRT_BASE PADDR_OFFSET XEN_VERSION GUEST_OS GUEST_VERSION LOADER PAE_MODE FEATURES BSD_SYMTAB HV_START_LOW L1_MFN_VALID SUSPEND_CANCEL INIT_P2M MOD_START_PFN SUPPORTED_FEATURES PHYS32_ENTRY PHYS32_RELOC pvh pv presets values placements fix stamp diff layout mkelf32 survival containers loaders linearize features legacy messages problems in-place grow append extend move-table shift new-load new-table xen-pv xen-pvh xen-dom0-pv xen-dom0-pvh qemu-pvh qemu-multiboot firecracker cloud-hypervisor libkrun crosvm openvmm grub-xen grub-multiboot grub-multiboot2 limine kexec uefi shim grub-secure-boot usage.bad config.bad record.bad internal.bug read.open read.not-a-file read.truncated read.too-large read.changed read.not-elf read.bad-class read.bad-entry-size read.table-outside read.table-overlap read.bad-count note.too-large note.unknown-name note.bad-width note.bad-setting note.bad-value note.value-too-wide note.unknown-feature note.bad-spec plan.relocatable plan.unsound plan.signed plan.no-edit plan.no-legacy plan.no-notes-to-copy plan.notes-apart plan.which-note plan.unreadable-note plan.no-symbol plan.ambiguous-symbol plan.no-load-holds plan.value-too-wide plan.bad-file plan.unknown-preset plan.preset-mismatch plan.preset-missing plan.impossible plan.program plan.too-many-headers write.failed write.not-restored write.same-file write.not-a-file write.read-only write.warned write.not-told write.locked verify.failed verify.second-reader mkelf32.not-elf mkelf32.class mkelf32.entry-size mkelf32.header-count mkelf32.note-outside mkelf32.open-output mkelf32.write-output mkelf32.short mkelf32.same-file mkelf32.no-final mkelf32.release mkelf32.unfit container.no-notes container.bare-stream container.corrupt archive.bad container.limit container.wrong-way container.contains-container gzip.corrupt gzip.too-large gzip.members gzip.trailing bzimage.protocol bzimage.header bzimage.no-payload bzimage.bounds bzimage.compression bzimage.size bzimage.corrupt bzimage.not-elf bzimage.tail bzimage.pair bzimage.no-room bzimage.too-large bzimage.attached bzimage.not-attached bzimage.native bzimage.trailing codec.missing codec.failed pe.certificate pe.not-pe pe.not-pe32plus pe.bad-header pe.machine pe.signed pe.section-order pe.overlap pe.data-after-bss pe.too-big pe.coff-tables pe.directory pe.bad-sbat pe.sbat-downgrade pe.bad-sbom pe.section-exists pe.section-name pe.no-header-room pe.no-section-room pe.relocations mb2.none mb2.too-far mb2.bad-tags mb2.no-room mb2.entry-unknown mb2.bad-address mb1.no-room linear.header-size linear.file-align linear.no-section linear.debug-pointer stamp.bad-metadata stamp.bad-note stamp.bad-build-id stamp.no-build-id stamp.loses-loader stamp.no-date stamp.too-much fix.no-target fix.no-cure ;;
      completion) compadd -- bash zsh fish ;;
      *) _files ;;
    esac
  fi
}
if [[ "$funcstack[1]" == _xen_elfpatch || "$funcstack[1]" == _xen-elfpatch ]]; then
  _xen_elfpatch "$@"
else
  compdef _xen_elfpatch xen-elfpatch
fi
