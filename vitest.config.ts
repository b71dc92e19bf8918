import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/temporary-folder.ts",
    testTimeout: 120_000,
    // Chromium can take its time to start beside a busy second worker.
    hookTimeout: 120_000,
    // Worker threads and child processes of the tests need the second core.
    maxWorkers: 2,
    // The files of a worker share one module graph: loading it for each takes a third of the time of all tests. So a
    // test must leave nothing behind in the process: servers closed, spies and environment put back.
    isolate: false,
  },
});
