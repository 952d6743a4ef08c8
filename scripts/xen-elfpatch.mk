# Xen notes as a post-link step, for GNU make. In your Makefile:
#
#   XEN_ELFPATCH_FLAGS := --preset pvh
#   include .../xen-elfpatch.mk
#   all: kernel.xen                  # made from kernel.elf
#
# One line is printed for an image that is made; V=1 prints the command too. kernel.xen keeps its time when its bytes stay the
# same, so what depends on it is not made again. Beside it, kernel.xen.stamp remembers that it was looked at, with which flags
# stands in .kernel.xen.flags, and whatever these name (--spec, --copy-from, file:PATH) is a prerequisite, through
# kernel.xen.stamp.d. xen-elfpatch renames a finished file into place: interrupting make leaves the old image or the new.

XEN_ELFPATCH ?= xen-elfpatch
XEN_ELFPATCH_FLAGS ?= --preset pvh
XEN_ELFPATCH_FROM ?= .elf
XEN_ELFPATCH_TO ?= .xen

# A file name is a word of the shell, whatever stands in it.
xen_elfpatch_word = '$(subst ','\'',$(1))'
xen_elfpatch_at := $(if $(filter 1,$(V)),,@)
xen_elfpatch_run = $(XEN_ELFPATCH) patch $(call xen_elfpatch_word,$*$(XEN_ELFPATCH_FROM)) $(XEN_ELFPATCH_FLAGS) \
	--if-changed -o $(call xen_elfpatch_word,$*$(XEN_ELFPATCH_TO))
xen_elfpatch_flags = printf '%s\n' $(call xen_elfpatch_word,$(XEN_ELFPATCH) $(XEN_ELFPATCH_FLAGS))

# The image itself: made with its stamp, or once more when somebody removed it.
%$(XEN_ELFPATCH_TO): %$(XEN_ELFPATCH_TO).stamp
	@test -e $(call xen_elfpatch_word,$@) || $(xen_elfpatch_run)

# Nothing is left of the stamp when the patch fails or is interrupted.
%$(XEN_ELFPATCH_TO).stamp: %$(XEN_ELFPATCH_FROM) .%$(XEN_ELFPATCH_TO).flags
	$(xen_elfpatch_at)$(xen_elfpatch_run) \
	  --depfile $(call xen_elfpatch_word,$@.d) --depfile-target $(call xen_elfpatch_word,$@)
	@touch $(call xen_elfpatch_word,$@)

# Looked at by every make, and written only when the flags are others.
.%$(XEN_ELFPATCH_TO).flags: xen_elfpatch_always
	@$(xen_elfpatch_flags) | cmp -s - $(call xen_elfpatch_word,$@) || \
	  $(xen_elfpatch_flags) > $(call xen_elfpatch_word,$@)

.PHONY: xen_elfpatch_always
.PRECIOUS: %$(XEN_ELFPATCH_TO).stamp .%$(XEN_ELFPATCH_TO).flags

# Their rules are not to become what `make` alone makes; folders are looked into three deep.
xen_elfpatch_goal := $(.DEFAULT_GOAL)
-include $(wildcard $(addsuffix *$(XEN_ELFPATCH_TO).stamp.d,./ */ */*/ */*/*/))
.DEFAULT_GOAL := $(xen_elfpatch_goal)
