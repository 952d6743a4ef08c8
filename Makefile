# One door to everything: what `make` runs is what CI runs.
NPM_STAMP := node_modules/.package-lock.json

.PHONY: all build types lint format test test-quick test-boot test-binary binary demo bench fuzz man single deb deb-standalone torture docs web web-serve packages images fixtures
all: build types lint test

$(NPM_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

build: $(NPM_STAMP)
	node scripts/bundle.mjs

types: $(NPM_STAMP)
	npx tsc --noEmit
	npx tsc --noEmit -p tsconfig.web.json

lint: $(NPM_STAMP)
	npx biome check .
	node scripts/check-rooms.mjs

format: $(NPM_STAMP)
	npx biome check --write .

# Everything, on a fresh clone too: fetches what it needs, skips nothing. `packages` stands first: where it cannot install what
# is missing, it says so before anything slow, and names test-quick.
test: packages images fixtures build types lint
	npx vitest run
	$(MAKE) test-binary
	$(MAKE) test-boot

# What needs no package, no image, no QEMU and little time; builds the bundle when it is stale, without its declarations.
test-quick: $(NPM_STAMP)
	npx vitest run --project quick

# Kernels booted by QEMU, Xen and GRUB.
test-boot: packages images build
	npx vitest run --config vitest.boot.config.ts

# The stand-alone program, which needs no Node: dist/bin/xen-elfpatch-linux-x64, or -arm64. Fetches bun, which compiles it.
binary: $(NPM_STAMP)
	node scripts/binary.mjs $(ARCH)

# The command's tests once more, on that program. Where bun cannot be had they are skipped, loudly. What is about Node's own
# start (its code cache, its package, a current folder that is gone, names that Node cannot take) is not asked of it.
test-binary: $(NPM_STAMP)
	@if node scripts/binary.mjs; then \
	  XEN_ELFPATCH_PROGRAM=$(CURDIR)/dist/bin/xen-elfpatch-linux-$$(node -p process.arch) npx vitest run test/cli test/build/binary.tools.test.ts test/build/deb-standalone.tools.test.ts; \
	else echo 'test-binary: SKIPPED: the stand-alone program could not be made' >&2; fi

# What ships beside the bundle: the man page, and the command as one file for machines without npm.
man: build
	node scripts/man.mjs

single: $(NPM_STAMP)
	node scripts/single.mjs

# The command as a Debian package, in dist/deb: one for nodejs of Debian 13 or later, one that carries the stand-alone program.
deb: man
	node scripts/deb.mjs

deb-standalone: man binary
	node scripts/deb.mjs --standalone

# The library's reference from its docstrings, into dist/docs.
docs: $(NPM_STAMP)
	npx typedoc

# The tool as a page, for any static host: the folder dist/web. web-serve shows it on loopback, for trying.
web: $(NPM_STAMP)
	node scripts/web.mjs

web-serve: web
	node scripts/web-serve.mjs

# The main job on a real linked kernel, verified.
demo: build
	node scripts/demo.mjs

# Ratios within one run, never asserted: start-up, in-place and copying patches against cp and objcopy, peak memory.
bench: build
	node scripts/bench/all.mjs

# Inputs that are nearly right, as many as one likes, from a seed: make fuzz FUZZ_INPUTS=1000000 FUZZ_SEED=7
FUZZ_INPUTS ?= 200000
FUZZ_SEED ?= $(shell date +%s)
fuzz: $(NPM_STAMP)
	FUZZ_INPUTS=$(FUZZ_INPUTS) FUZZ_SEED=$(FUZZ_SEED) nice -n 19 npx vitest run test/fuzz

# Every call of every command that writes, failing in every way: hours. TORTURE_WAY='patch --in-place' takes one command.
TORTURE_WAY ?=
torture: packages $(NPM_STAMP)
	TORTURE=all npx vitest run test/write/torture.tools.test.ts $(if $(TORTURE_WAY),-t '$(TORTURE_WAY)')

# Debian packages that tests and fixtures need; quick when all are there, needs root only when one is missing.
packages:
	scripts/install-debian-packages.sh

# Real kernels and foreign ELF files into a cache outside git; also quick when all is there.
images:
	node scripts/fetch-images.mjs images corpus hypervisors tools judges grub-efi efi-variables

# The committed kernels must be what their sources build; scripts/build-fixtures.sh --update accepts a difference.
fixtures:
	scripts/build-fixtures.sh
