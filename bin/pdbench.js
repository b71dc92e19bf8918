#!/usr/bin/env node
import { existsSync } from "node:fs";

// A committed shim keeps its execute bit; the compiler writes dist/ without one.
const entry = new URL("../dist/src/cli/main.js", import.meta.url);
if (!existsSync(entry)) {
  console.error("pdbench: dist/ is missing. Run `npm run build` first.");
  process.exit(1);
}
await import(entry.href);
