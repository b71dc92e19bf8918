import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

it("docs/errors.md lists every error code that the sources raise, and no other", () => {
  const sources = ["src", "mock-engines"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(root, folder, name), "utf8")),
  );
  const codesOf = (text: string): Set<string> => new Set(text.match(/\bPDB_ERR_[A-Z_]+/g) ?? []);
  const listed = codesOf(readFileSync(join(root, "docs/errors.md"), "utf8"));
  expect([...listed].sort()).toEqual([...codesOf(sources.join("\n"))].sort());
});
