# Xen notes as a post-link step, for GNU make. In your Makefile:
#
#   XEN_ELFPATCH_FLAGS := --preset pvh
#   include .../xen-elfpatch.mk
#   all: kernel.xen                  # made from kernel.elf
#
# kernel.xen keeps its time when its bytes stay the same, so what depends on it is not made again; the .stamp file beside
# it remembers that it was looked at. Whatever the flags name (--spec, --copy-from, file:PATH) is a prerequisite, through
# the dependency file. xen-elfpatch renames a finished file into place: interrupting make leaves the old image or the new.

XEN_ELFPATCH ?= xen-elfpatch
XEN_ELFPATCH_FLAGS ?= --preset pvh
XEN_ELFPATCH_FROM ?= .elf
XEN_ELFPATCH_TO ?= .xen

xen_elfpatch_run = $(XEN_ELFPATCH) patch $*$(XEN_ELFPATCH_FROM) $(XEN_ELFPATCH_FLAGS) \
	--if-changed -o $*$(XEN_ELFPATCH_TO)

# The image itself: made with its stamp, or once more when somebody removed it.
%$(XEN_ELFPATCH_TO): %$(XEN_ELFPATCH_TO).stamp
	@test -e $@ || $(xen_elfpatch_run)

# Nothing is left of the stamp when the patch fails or is interrupted.
%$(XEN_ELFPATCH_TO).stamp: %$(XEN_ELFPATCH_FROM)
	$(xen_elfpatch_run) --depfile $@.d
	@sed 's|^[^:]*:|$@:|' $@.d > $@.d.tmp && mv $@.d.tmp $@.d && touch $@

.PRECIOUS: %$(XEN_ELFPATCH_TO).stamp

# Their rules are not to become what `make` alone makes; folders are looked into three deep.
xen_elfpatch_goal := $(.DEFAULT_GOAL)
-include $(wildcard $(addsuffix *$(XEN_ELFPATCH_TO).stamp.d,./ */ */*/ */*/*/))
.DEFAULT_GOAL := $(xen_elfpatch_goal)
