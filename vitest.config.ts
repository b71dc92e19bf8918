import { defineConfig } from "vitest/config";

/**
 * Tests that count or time what is in their process, such as its sockets, its memory or the turns of its event loop: each
 * file has a process of its own.
 */
const ALONE = [
  "test/live/**/*.test.ts",
  "test/proxy/{faults,limits}/**/*.test.ts",
  "test/proxy/{lifecycle,lifetime,mixed-traffic,mock-engines}.test.ts",
];

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
      { extends: true, test: { name: "alone", include: ALONE } },
      // One module graph per worker: to load it for each file anew takes a third of the time of all tests.
      {
        extends: true,
        test: { name: "shared", include: ["test/**/*.test.ts"], exclude: ALONE, isolate: false },
      },
    ],
  },
});
