# bash completion for xen-elfpatch
_xen_elfpatch() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} list='' head='' key='' at
  COMPREPLY=()
  # Bash makes words of --for=xen-pv and of NAME=VALUE: what is in front of the sign, the sign, what is behind it.
  at=$((COMP_CWORD - 1))
  if [ "$word" = = ]; then word='' at=$COMP_CWORD before='='; fi
  if [ "$before" = = ]; then
    before=${COMP_WORDS[at-1]}
    case $before in
      -*) ;;
      *) key=$before before=${COMP_WORDS[at-2]}; if [ "$before" = = ]; then before=${COMP_WORDS[at-3]}; fi ;;
    esac
  fi
  # A list goes on behind its last comma.
  case $word in *,*) head=${word%,*}, ;; esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W 'patch notes fix stamp diff layout verify linearize explain mkelf32 completion help --help --version' -- "$word"))
    return
  fi
  if [ -n "$key" ]; then
    case "$command:$before:$key" in
      patch:--set:INFO) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
      patch:--set:ENTRY) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:HYPERCALL_PAGE) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:VIRT_BASE) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:PADDR_OFFSET) COMPREPLY=($(compgen -W '0 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:XEN_VERSION) COMPREPLY=($(compgen -W 'xen-3.0 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:GUEST_OS) COMPREPLY=($(compgen -W 'linux hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:GUEST_VERSION) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
      patch:--set:LOADER) COMPREPLY=($(compgen -W 'generic hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:PAE_MODE) COMPREPLY=($(compgen -W 'yes bimodal hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:FEATURES) COMPREPLY=($(compgen -W 'writable_page_tables writable_descriptor_tables auto_translated_physmap supervisor_mode_kernel pae_pgdir_above_4gb hvm_callback_vector dom0 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:BSD_SYMTAB) COMPREPLY=($(compgen -W 'yes hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:HV_START_LOW) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:L1_MFN_VALID) COMPREPLY=($(compgen -W '1:1 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:SUSPEND_CANCEL) COMPREPLY=($(compgen -W '1 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:INIT_P2M) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:MOD_START_PFN) COMPREPLY=($(compgen -W '1 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:SUPPORTED_FEATURES) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
      patch:--set:PHYS32_ENTRY) COMPREPLY=($(compgen -W 'phys: phys:entry sym: hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      patch:--set:PHYS32_RELOC) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
      stamp:--package-metadata:type) COMPREPLY=($(compgen -W 'deb rpm alpm apk ebuild' -- "$word")); ;;
      stamp:--package-metadata:os) COMPREPLY=($(compgen -W 'debian ubuntu fedora arch alpine' -- "$word")); ;;
      stamp:--package-metadata:architecture) COMPREPLY=($(compgen -W 'amd64 x86_64 i386 arm64 aarch64' -- "$word")); ;;
      mkelf32:--note:INFO) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
      mkelf32:--note:ENTRY) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:HYPERCALL_PAGE) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:VIRT_BASE) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:PADDR_OFFSET) COMPREPLY=($(compgen -W '0 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:XEN_VERSION) COMPREPLY=($(compgen -W 'xen-3.0 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:GUEST_OS) COMPREPLY=($(compgen -W 'linux hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:GUEST_VERSION) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
      mkelf32:--note:LOADER) COMPREPLY=($(compgen -W 'generic hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:PAE_MODE) COMPREPLY=($(compgen -W 'yes bimodal hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:FEATURES) COMPREPLY=($(compgen -W 'writable_page_tables writable_descriptor_tables auto_translated_physmap supervisor_mode_kernel pae_pgdir_above_4gb hvm_callback_vector dom0 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:BSD_SYMTAB) COMPREPLY=($(compgen -W 'yes hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:HV_START_LOW) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:L1_MFN_VALID) COMPREPLY=($(compgen -W '1:1 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:SUSPEND_CANCEL) COMPREPLY=($(compgen -W '1 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:INIT_P2M) COMPREPLY=($(compgen -W 'sym: entry hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:MOD_START_PFN) COMPREPLY=($(compgen -W '1 hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:SUPPORTED_FEATURES) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
      mkelf32:--note:PHYS32_ENTRY) COMPREPLY=($(compgen -W 'phys: phys:entry sym: hex: file:' -- "$word")); case "${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac; ;;
      mkelf32:--note:PHYS32_RELOC) COMPREPLY=($(compgen -W 'hex: file:' -- "$word")); compopt -o nospace 2>/dev/null; ;;
    esac
    return
  fi
  case "$command:$before" in
    help:help) COMPREPLY=($(compgen -W 'patch notes fix stamp diff layout verify linearize explain mkelf32 completion' -- "$word")); return ;;
    patch:--preset) COMPREPLY=($(compgen -W 'pv pv+dom0 pv32 pv32+dom0 pvh pvh+dom0 pv+pvh pv+pvh+dom0' -- "$word")); return ;;
    patch:--set) COMPREPLY=($(compgen -W 'INFO= ENTRY= HYPERCALL_PAGE= VIRT_BASE= PADDR_OFFSET= XEN_VERSION= GUEST_OS= GUEST_VERSION= LOADER= PAE_MODE= FEATURES= BSD_SYMTAB= HV_START_LOW= L1_MFN_VALID= SUSPEND_CANCEL= INIT_P2M= MOD_START_PFN= SUPPORTED_FEATURES= PHYS32_ENTRY= PHYS32_RELOC=' -- "$word")); compopt -o nospace 2>/dev/null; return ;;
    patch:--unset) COMPREPLY=($(compgen -W 'INFO ENTRY HYPERCALL_PAGE VIRT_BASE PADDR_OFFSET XEN_VERSION GUEST_OS GUEST_VERSION LOADER PAE_MODE FEATURES BSD_SYMTAB HV_START_LOW L1_MFN_VALID SUSPEND_CANCEL INIT_P2M MOD_START_PFN SUPPORTED_FEATURES PHYS32_ENTRY PHYS32_RELOC' -- "$word")); return ;;
    patch:--placement) COMPREPLY=($(compgen -W 'auto in-place grow append extend move-table shift new-load new-table' -- "$word")); return ;;
    patch:--must-survive) COMPREPLY=($(compgen -W 'strip strip@2.40 objcopy objcopy@2.40 llvm-strip llvm-strip@14.0.6 llvm-objcopy llvm-objcopy@14.0.6 eu-strip eu-strip@0.188 eu-strip-o eu-strip-o@0.188 patchelf patchelf@0.14.3 flat flat@2.40' -P "$head" -- "${word#"$head"}")); return ;;
    patch:--notes-align) COMPREPLY=($(compgen -W '4 8' -- "$word")); return ;;
    patch:--kind) COMPREPLY=($(compgen -W 'kernel program' -- "$word")); return ;;
    patch:--payload) COMPREPLY=($(compgen -W 'attach replace extract detach' -- "$word")); return ;;
    patch:--record-format) COMPREPLY=($(compgen -W 'json in-toto' -- "$word")); return ;;
    patch:--jobs) COMPREPLY=($(compgen -W '1 2 4 8' -- "$word")); return ;;
    patch:--limit) COMPREPLY=($(compgen -W '64M 256M 1G' -- "$word")); return ;;
    patch:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    notes:--format) COMPREPLY=($(compgen -W 'text readnotes github sarif junit' -- "$word")); return ;;
    notes:--jobs) COMPREPLY=($(compgen -W '1 2 4 8' -- "$word")); return ;;
    notes:--limit) COMPREPLY=($(compgen -W '64M 256M 1G' -- "$word")); return ;;
    notes:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    fix:--for) COMPREPLY=($(compgen -W 'xen-pv xen-pvh xen-dom0-pv xen-dom0-pvh qemu-pvh qemu-multiboot firecracker cloud-hypervisor libkrun crosvm openvmm grub-xen grub-multiboot grub-multiboot2 limine kexec uefi shim grub-secure-boot linux-loader multiboot multiboot2' -P "$head" -- "${word#"$head"}")); return ;;
    fix:--xen-version) COMPREPLY=($(compgen -W '4.7 4.8 4.9 4.10 4.11 4.12 4.13 4.14 4.15 4.16 4.17 4.18 4.19 4.20 4.21 4.22' -- "$word")); return ;;
    fix:--memory) COMPREPLY=($(compgen -W '256M 512M 1G 4G' -- "$word")); return ;;
    fix:--must-survive) COMPREPLY=($(compgen -W 'strip strip@2.40 objcopy objcopy@2.40 llvm-strip llvm-strip@14.0.6 llvm-objcopy llvm-objcopy@14.0.6 eu-strip eu-strip@0.188 eu-strip-o eu-strip-o@0.188 patchelf patchelf@0.14.3 flat flat@2.40' -P "$head" -- "${word#"$head"}")); return ;;
    fix:--kind) COMPREPLY=($(compgen -W 'kernel program' -- "$word")); return ;;
    fix:--payload) COMPREPLY=($(compgen -W 'attach replace extract' -- "$word")); return ;;
    fix:--record-format) COMPREPLY=($(compgen -W 'json in-toto' -- "$word")); return ;;
    fix:--jobs) COMPREPLY=($(compgen -W '1 2 4 8' -- "$word")); return ;;
    fix:--limit) COMPREPLY=($(compgen -W '64M 256M 1G' -- "$word")); return ;;
    fix:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    stamp:--package-metadata) COMPREPLY=($(compgen -W 'type= os= osVersion= name= version= architecture= osCpe= appCpe= debugInfoUrl=' -- "$word")); compopt -o nospace 2>/dev/null; return ;;
    stamp:--build-id) COMPREPLY=($(compgen -W 'keep sha1 sha256' -- "$word")); return ;;
    stamp:--placement) COMPREPLY=($(compgen -W 'auto in-place grow append extend move-table shift new-load new-table' -- "$word")); return ;;
    stamp:--must-survive) COMPREPLY=($(compgen -W 'strip strip@2.40 objcopy objcopy@2.40 llvm-strip llvm-strip@14.0.6 llvm-objcopy llvm-objcopy@14.0.6 eu-strip eu-strip@0.188 eu-strip-o eu-strip-o@0.188 patchelf patchelf@0.14.3 flat flat@2.40' -P "$head" -- "${word#"$head"}")); return ;;
    stamp:--kind) COMPREPLY=($(compgen -W 'kernel program' -- "$word")); return ;;
    stamp:--payload) COMPREPLY=($(compgen -W 'attach replace extract' -- "$word")); return ;;
    stamp:--record-format) COMPREPLY=($(compgen -W 'json in-toto' -- "$word")); return ;;
    stamp:--format) COMPREPLY=($(compgen -W 'text github sarif junit' -- "$word")); return ;;
    stamp:--jobs) COMPREPLY=($(compgen -W '1 2 4 8' -- "$word")); return ;;
    stamp:--limit) COMPREPLY=($(compgen -W '64M 256M 1G' -- "$word")); return ;;
    stamp:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    diff:--jobs) COMPREPLY=($(compgen -W '1 2 4 8' -- "$word")); return ;;
    diff:--limit) COMPREPLY=($(compgen -W '64M 256M 1G' -- "$word")); return ;;
    diff:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    layout:--limit) COMPREPLY=($(compgen -W '64M 256M 1G' -- "$word")); return ;;
    layout:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    verify:--for) COMPREPLY=($(compgen -W 'xen-pv xen-pvh xen-dom0-pv xen-dom0-pvh qemu-pvh qemu-multiboot firecracker cloud-hypervisor libkrun crosvm openvmm grub-xen grub-multiboot grub-multiboot2 limine kexec uefi shim grub-secure-boot linux-loader multiboot multiboot2' -- "$word")); return ;;
    verify:--xen-version) COMPREPLY=($(compgen -W '4.7 4.8 4.9 4.10 4.11 4.12 4.13 4.14 4.15 4.16 4.17 4.18 4.19 4.20 4.21 4.22' -- "$word")); return ;;
    verify:--memory) COMPREPLY=($(compgen -W '256M 512M 1G 4G' -- "$word")); return ;;
    verify:--format) COMPREPLY=($(compgen -W 'text github sarif junit' -- "$word")); return ;;
    verify:--jobs) COMPREPLY=($(compgen -W '1 2 4 8' -- "$word")); return ;;
    verify:--limit) COMPREPLY=($(compgen -W '64M 256M 1G' -- "$word")); return ;;
    verify:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    linearize:--mb2) COMPREPLY=($(compgen -W 'auto append gap none' -- "$word")); return ;;
    linearize:--record-format) COMPREPLY=($(compgen -W 'json in-toto' -- "$word")); return ;;
    linearize:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    mkelf32:--note) COMPREPLY=($(compgen -W 'INFO= ENTRY= HYPERCALL_PAGE= VIRT_BASE= PADDR_OFFSET= XEN_VERSION= GUEST_OS= GUEST_VERSION= LOADER= PAE_MODE= FEATURES= BSD_SYMTAB= HV_START_LOW= L1_MFN_VALID= SUSPEND_CANCEL= INIT_P2M= MOD_START_PFN= SUPPORTED_FEATURES= PHYS32_ENTRY= PHYS32_RELOC=' -- "$word")); compopt -o nospace 2>/dev/null; return ;;
    mkelf32:--keep) COMPREPLY=($(compgen -W 'sections symbols' -P "$head" -- "${word#"$head"}")); return ;;
    mkelf32:--record-format) COMPREPLY=($(compgen -W 'json in-toto' -- "$word")); return ;;
  esac
  case "$command" in
    patch) list='--clear --from-legacy --copy-from --preset --spec --set --unset --placement --loaded --not-loaded --section --must-survive --notes-align --kind --payload --compressor --strip-signature --keep-tail --output --in-place --if-changed --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verbose --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version' ;;
    notes) list='--xen --raw --all --strict --json --format --require-xen --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version' ;;
    fix) list='--for --xen-version --memory --loaded --not-loaded --must-survive --kind --payload --compressor --strip-signature --keep-tail --output --in-place --if-changed --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verbose --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version' ;;
    stamp) list='--package-metadata --date --build-id --note --add-note --remove --sbat --allow-sbat-downgrade --sbom --add-section --placement --loaded --not-loaded --must-survive --kind --payload --compressor --strip-signature --keep-tail --output --in-place --if-changed --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verbose --format --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version' ;;
    diff) list='--baseline-dir --recursive --files0-from --jobs --json-lines --json --limit --color --config --print-config --quiet --help --version' ;;
    layout) list='--compare --svg --html --sizes --physical --json --limit --color --config --print-config --quiet --help --version' ;;
    verify) list='--baseline --for --xen-version --memory --check-record --rules --strict --json --format --recursive --files0-from --jobs --json-lines --limit --color --config --print-config --quiet --help --version' ;;
    linearize) list='--mb2 --entry --mb1 --phys-base --bss-align --header-size --keep-reloc --discardable-reloc --merge --file-align --image --tail --drop-signature --output --in-place --dry-run --check --depfile --depfile-target --record --record-format --strict --json --verify --baseline --color --config --print-config --quiet --help --version' ;;
    explain) list='--json --config --print-config --quiet --help --version' ;;
    mkelf32) list='--notes --compat --list-compat --tidy --note --keep --record --record-format --strict --json --config --print-config --quiet --help --version' ;;
    completion) list='--config --print-config --quiet --help --version' ;;
  esac
  case "$command:$word" in
    explain:[!-]*|explain:) COMPREPLY=($(compgen -W 'INFO ENTRY HYPERCALL_PAGE VIRT_BASE PADDR_OFFSET XEN_VERSION GUEST_OS GUEST_VERSION LOADER PAE_MODE FEATURES BSD_SYMTAB HV_START_LOW L1_MFN_VALID SUSPEND_CANCEL INIT_P2M MOD_START_PFN SUPPORTED_FEATURES PHYS32_ENTRY PHYS32_RELOC pvh pv presets values placements fix stamp diff layout mkelf32 survival containers loaders linearize features legacy messages problems in-place grow append extend move-table shift new-load new-table xen-pv xen-pvh xen-dom0-pv xen-dom0-pvh qemu-pvh qemu-multiboot firecracker cloud-hypervisor libkrun crosvm openvmm grub-xen grub-multiboot grub-multiboot2 limine kexec uefi shim grub-secure-boot usage.bad config.bad record.bad internal.bug read.open read.not-a-file read.truncated read.too-large read.changed read.not-elf read.bad-class read.bad-entry-size read.table-outside read.table-overlap read.bad-count note.too-large note.unknown-name note.bad-width note.bad-setting note.bad-value note.value-too-wide note.unknown-feature note.bad-spec plan.relocatable plan.unsound plan.signed plan.no-edit plan.no-legacy plan.no-notes-to-copy plan.notes-apart plan.which-note plan.unreadable-note plan.no-symbol plan.ambiguous-symbol plan.no-load-holds plan.value-too-wide plan.bad-file plan.unknown-preset plan.preset-mismatch plan.preset-missing plan.impossible plan.program plan.too-many-headers write.failed write.not-restored write.same-file write.not-a-file write.read-only write.warned write.not-told write.locked verify.failed verify.second-reader mkelf32.not-elf mkelf32.class mkelf32.entry-size mkelf32.header-count mkelf32.note-outside mkelf32.open-output mkelf32.write-output mkelf32.short mkelf32.same-file mkelf32.no-final mkelf32.release mkelf32.unfit container.no-notes container.bare-stream container.corrupt archive.bad container.limit container.wrong-way container.contains-container gzip.corrupt gzip.too-large gzip.members gzip.trailing bzimage.protocol bzimage.header bzimage.no-payload bzimage.bounds bzimage.compression bzimage.size bzimage.corrupt bzimage.not-elf bzimage.tail bzimage.pair bzimage.no-room bzimage.too-large bzimage.attached bzimage.not-attached bzimage.native bzimage.trailing codec.missing codec.failed pe.certificate pe.not-pe pe.not-pe32plus pe.bad-header pe.machine pe.signed pe.section-order pe.overlap pe.data-after-bss pe.too-big pe.coff-tables pe.directory pe.bad-sbat pe.sbat-downgrade pe.bad-sbom pe.section-exists pe.section-name pe.no-header-room pe.no-section-room pe.relocations mb2.none mb2.too-far mb2.bad-tags mb2.no-room mb2.entry-unknown mb2.bad-address mb1.no-room linear.header-size linear.file-align linear.no-section linear.debug-pointer stamp.bad-metadata stamp.bad-note stamp.bad-build-id stamp.no-build-id stamp.loses-loader stamp.no-date stamp.too-much fix.no-target fix.no-cure' -- "$word")); return ;;
    completion:[!-]*|completion:) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word")); return ;;
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$list" -- "$word")) ;;
    *) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -F _xen_elfpatch xen-elfpatch
