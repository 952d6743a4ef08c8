# One door to everything: what `make` runs is what CI runs.
NPM_STAMP := node_modules/.package-lock.json

.PHONY: all build types lint format test
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
