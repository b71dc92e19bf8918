import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { policyPage } from "../../scripts/docs/policy-page.js";
import { DECIDERS, POLICIES, PRESETS } from "../../src/routing/registry.js";

const page = readFileSync(new URL("../../docs/policies.md", import.meta.url), "utf8");

it("docs/policies.md is what `npm run docs` writes", async () => {
  expect(page === (await policyPage()), "docs/policies.md is out of date: npm run docs").toBe(true);
});

it("docs/policies.md has a section of every policy, decider and preset, with every parameter", () => {
  for (const { name } of [...POLICIES, ...DECIDERS, ...PRESETS]) expect(page).toContain(`\n### ${name}\n`);
  for (const { parameters } of [...POLICIES, ...DECIDERS]) {
    for (const parameter of parameters) expect(page).toContain(`\`${parameter.name}\``);
  }
});
