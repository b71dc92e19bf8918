import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    // Chromium can take its time to start beside a busy second worker.
    hookTimeout: 60_000,
    // Worker threads and child processes of the tests need the second core.
    maxWorkers: 2,
  },
});
