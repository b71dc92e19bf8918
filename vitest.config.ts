import { defineConfig } from "vitest/config";

/** Tests that count what is left in the whole process: each has one of its own. */
const ALONE = ["test/live/soak.test.ts"];

export default defineConfig({
  test: {
    globalSetup: "test/support/temporary-folder.ts",
    testTimeout: 120_000,
    // Chromium can take its time to start beside a busy second worker.
    hookTimeout: 120_000,
    // Worker threads and child processes of the tests need the second core.
    maxWorkers: 2,
    // The built program is plain modules: Node loads them itself.
    server: { deps: { external: [/\/dist\/src\//] } },
    projects: [
      // One module graph per worker: loading it for each file takes a third of the time of all tests. So a test must
      // leave nothing behind in the process: servers closed, spies and environment put back.
      {
        extends: true,
        test: { name: "shared", include: ["test/**/*.test.ts"], exclude: ALONE, isolate: false },
      },
      { extends: true, test: { name: "alone", include: ALONE } },
    ],
  },
});
