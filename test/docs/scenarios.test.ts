import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shippedScenarios } from "../../src/scenario/load.js";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/scenarios.md", root), "utf8");

/** Sections of the page by their heading. */
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf("\n")), text] as const),
);

/** Figures of a text, without the commas of thousands. */
const figuresOf = (text: string): string[] =>
  (text.match(/\d[\d,]*(?:\.\d+)?/g) ?? []).map((figure) => figure.replaceAll(",", ""));

describe("docs/scenarios.md", () => {
  it("has a section for every scenario that ships, and no other", () => {
    expect([...sections.keys()].sort()).toEqual(shippedScenarios().map(({ name }) => name));
  });

  it.each([...sections])("%s: question, command and links", (name, text) => {
    expect(text).toMatch(/^\*\*.+\?\*\*/m);
    expect(text).toMatch(/^npx pdbench (?:sweep|simulate) /m);
    expect(text).toContain(`(../scenarios/${name}.yaml)`);
    const report = new URL(`reports/${name}.md`, root);
    expect(text.includes(`(../reports/${name}.md)`)).toBe(existsSync(report));
  });

  it.each([...sections].filter(([, text]) => text.includes("../reports/")))(
    "%s: every figure of the outcome is in the report",
    (name, text) => {
      const report = readFileSync(new URL(`reports/${name}.md`, root), "utf8");
      // The outcome stands below the command; the scenario's own numbers above it.
      const outcome = text.slice(text.lastIndexOf("```\n") + 4).replaceAll(/\(\.\.[^)]*\)|`[^`]*`/g, "");
      const known = new Set(figuresOf(report));
      const unknown = figuresOf(outcome).filter((figure) => /[.]|\d\d/.test(figure) && !known.has(figure));
      expect(unknown).toEqual([]);
    },
  );
});
