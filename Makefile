# One door to everything: what `make` runs is what CI runs.
NPM_STAMP := node_modules/.package-lock.json

.PHONY: all build types lint format test packages images fixtures
all: build types lint test

$(NPM_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

build: $(NPM_STAMP)
	node scripts/bundle.mjs

types: $(NPM_STAMP)
	npx tsc --noEmit

lint: $(NPM_STAMP)
	npx biome check .

format: $(NPM_STAMP)
	npx biome check --write .

test: build
	npx vitest run

# Debian packages that tests and fixtures need; quick when all are there, needs root only when one is missing.
packages:
	scripts/install-debian-packages.sh

# Real kernels and foreign ELF files into a cache outside git; also quick when all is there.
images:
	node scripts/fetch-images.mjs images corpus tools

# The committed kernels must be what their sources build; scripts/build-fixtures.sh --update accepts a difference.
fixtures:
	scripts/build-fixtures.sh

# Boots real hypervisors and kernels in QEMU: minutes. Installs and fetches what it needs.
.PHONY: test-boot
test-boot: build
	scripts/install-debian-packages.sh boot
	node scripts/fetch-images.mjs images tools
	npx vitest run -c vitest.boot.config.ts
