import { defineConfig } from 'vitest/config';

// Kernels booted by QEMU: slow, and one at a time, because a starved guest looks like a hung one.
export default defineConfig({
  test: {
    include: ['test/**/*.boot.test.ts'],
    globalSetup: 'test/support/build-once.ts',
    // Modules are tried one by one; what they need of Node comes with the entries of the command and the library.
    setupFiles: ['src/base/platform/node.ts'],
    // Runs of the command leave nothing in the home of whoever runs the tests.
    env: { XEN_ELFPATCH_CODE_CACHE: '' },
    testTimeout: 300_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
    // Emulated machines lose time when the real one is busy; a kernel that does not boot fails twice.
    retry: 1,
  },
});
