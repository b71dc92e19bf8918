import { tallyOf, type CaseResult } from "./run-kit.js";

/** The results as JUnit XML, which CI systems read. A warning is a pass with the difference in its output. */
export function junitXml(suite: string, results: readonly CaseResult[]): string {
  const { failed, skipped } = tallyOf(results);
  const seconds = results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  const head = `<testsuite name="${xml(suite)}" tests="${results.length}" failures="${failed}" errors="0" skipped="${skipped}" time="${seconds.toFixed(3)}">`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${head}\n${results.map(testCase).join("\n")}\n</testsuite>\n</testsuites>\n`;
}

function testCase({ name, rule, verdict, reasons, notes, wire, durationMs }: CaseResult): string {
  const [group] = name.split("/");
  const head = `<testcase classname="${xml(`conformance.${group}`)}" name="${xml(`${name}: ${rule}`)}" time="${(durationMs / 1000).toFixed(3)}">`;
  const reason = xml(reasons.join("\n"));
  const bodies = {
    passed: "",
    warned: "",
    failed: `<failure message="${xml(reasons[0] ?? "")}">${reason}</failure>`,
    skipped: `<skipped message="${reason}"/>`,
  };
  const said = [...(verdict === "warned" ? reasons : []), ...notes, ...wire].join("\n");
  return `${head}${bodies[verdict]}<system-out>${xml(said)}</system-out></testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text for XML 1.0, which has no place for most control characters. */
function xml(text: string): string {
  return (
    text
      .replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!)
      // eslint-disable-next-line no-control-regex -- they are what is to go
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "?")
  );
}
