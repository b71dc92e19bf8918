import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    // Worker threads and child processes of the tests need the second core.
    maxWorkers: 2,
  },
});
