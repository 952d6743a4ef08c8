import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/build-once.ts',
    // Modules are tried one by one; what they need of Node comes with the entries of the command and the library.
    setupFiles: ['src/base/platform/node.ts'],
    // Runs of the command leave nothing in the home of whoever runs the tests.
    env: { XEN_ELFPATCH_CODE_CACHE: '' },
    exclude: ['test/boot/**', 'test/support/boot.test.ts', 'node_modules/**'],
    // A limit against hanging, not a measure of speed: a busy machine is no failure.
    testTimeout: 300_000,
    hookTimeout: 600_000,
    // Two cores everywhere this runs; real images make the workers memory-hungry.
    maxWorkers: 2,
  },
});
