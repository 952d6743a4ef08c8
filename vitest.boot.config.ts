import { defineConfig } from 'vitest/config';

/** Boots real hypervisors and kernels: make test-boot. Minutes, not seconds. */
export default defineConfig({
  test: {
    include: ['test/boot/**/*.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    // Each boot is a process of its own; two cores everywhere this runs.
    maxWorkers: 2,
  },
});
