import { defineConfig } from "vitest/config";

/** Rooms whose tests hold no server, process or page: their files share one module graph per worker. */
const PURE = ["calibrate", "engine", "measure", "routing", "scenario", "simulator", "values", "workload"];
/** Tests that look at the whole program from inside one process: they load every command, once for all of them. */
const WHOLE_PROGRAM = ["test/docs/*.test.ts", "test/cli/{completion,doctor,help,init}.test.ts"];
const pureFiles = [...PURE.map((room) => `test/${room}/**/*.test.ts`), ...WHOLE_PROGRAM];

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
      { extends: true, test: { name: "pure", include: pureFiles, isolate: false } },
      { extends: true, test: { name: "parts", include: ["test/**/*.test.ts"], exclude: pureFiles } },
    ],
  },
});
