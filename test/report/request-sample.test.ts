import { describe, expect, it } from "vitest";
import { sampleRequests } from "../../src/report/html/request-sample.js";
import { runPage } from "../../src/report/html/run-page.js";
import type { RequestRow } from "../../src/report/run-files-reader.js";
import { runReport } from "./run-report-builder.js";

const [DECISION] = [...runReport().decisions!.values()];
const some = runReport().requests!;
/** A long run: the requests of a short one again and again, of which every 5,000th failed. */
const long = Array.from({ length: 20_000 }, (_, id): RequestRow => {
  const row = { ...some[id % some.length]!, id, arrivalS: id / 4 };
  return id % 5000 === 7 ? { ...row, status: "failed", e2eMs: Number.NaN, tpotMs: Number.NaN } : row;
});

describe("the requests that a page holds", () => {
  it("are all, where they are few", () => {
    expect(sampleRequests(some)).toEqual({ rows: some, words: "" });
  });

  it("are of many those that failed, the slowest, and an even share of the rest, and it says so", () => {
    const { rows, words } = sampleRequests(long, 1000);
    const ids = rows.map(({ id }) => id);
    expect(rows.length).toBeGreaterThan(900);
    expect(rows.length).toBeLessThanOrEqual(1000);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(rows.filter(({ status }) => status === "failed")).toHaveLength(4);
    expect(Math.max(...rows.map(({ ttftMs }) => ttftMs))).toBe(Math.max(...long.map(({ ttftMs }) => ttftMs)));
    expect(Math.max(...ids.map((id, i) => id - (ids[i - 1] ?? 0)))).toBeLessThan(60);
    expect(words).toContain("of the 20,000 requests");
  });

  it("with their decisions keep the page of a long run below 3 MB", async () => {
    const decisions = new Map(long.map(({ id }) => [id, { ...DECISION!, request: id }]));
    const html = await runPage(runReport({ requests: long, decisions }));
    expect(Buffer.byteLength(html)).toBeLessThan(3e6);
    expect(html.includes("Every request is in requests.csv")).toBe(true);
  });
});
