import { defineConfig } from 'vitest/config';

/** Kernels booted by QEMU: one file at a time, for each boot wants the machine. */
export default defineConfig({
  test: {
    include: ['test/boot/**/*.test.ts'],
    globalSetup: 'test/support/build-once.ts',
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
  },
});
