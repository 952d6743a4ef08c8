import { defineConfig } from 'vitest/config';

// Tests by what they need besides Node, which their suffix says; test/layers.test.ts holds them to it. `--project quick` is
// what runs everywhere, `--project rest` what needs packages or real images, or a long time. vitest.boot.config.ts boots.
const MARKED = ['slow', 'tools', 'images', 'boot'].map((layer) => `test/**/*.${layer}.test.ts`);

// Modules are tried one by one; what they need of Node comes with the entries of the command and the library.
const PLATFORM = 'src/base/platform/node.ts';

// The stand-alone program, where it is what is tested (make test-binary).
const PROGRAM = process.env['XEN_ELFPATCH_PROGRAM'];
const ABOUT_PROGRAM = ['binary', 'deb-standalone'].map((name) => `test/build/${name}.tools.test.ts`);
/** How Node starts the command, and what Node cannot take or bun will not: of no concern to the program. */
const ABOUT_NODE = ['code-cache', 'every-node', 'package', 'odd-places', 'foreign-strings', 'quick-parse'].map(
  (name) => `test/cli/${name}.*.test.ts`,
);

export default defineConfig({
  test: {
    globalSetup: 'test/support/build-once.ts',
    // Runs of the command leave nothing in the home of whoever runs the tests.
    // Nor is a make that a test runs one of the make that runs the tests.
    env: { XEN_ELFPATCH_CODE_CACHE: '', MAKELEVEL: '0', MAKEFLAGS: '', MFLAGS: '' },
    // A limit against hanging, not a measure of speed: a busy machine is no failure.
    testTimeout: 300_000,
    hookTimeout: 600_000,
    // Two cores everywhere this runs; real images make the workers memory-hungry.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: MARKED,
          // Nothing of another machine is needed, so nothing of this one is shown.
          setupFiles: [PLATFORM, 'test/support/bare-machine.ts'],
          // Half of the time of small files is the making of their workers and modules, which they share.
          pool: 'threads',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'rest',
          include: MARKED,
          exclude: ['test/**/*.boot.test.ts', ...(PROGRAM === undefined ? ABOUT_PROGRAM : ABOUT_NODE)],
          setupFiles: [PLATFORM],
        },
      },
    ],
  },
});
