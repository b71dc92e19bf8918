import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { startServe, type ServeOptions } from "../../src/serve/server.js";
import type { Summary } from "../../src/measure/summary.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";
import { inline } from "../sweep/sweep-bench.js";
import { summaryOf, type SummaryParts } from "../report/sweep-builder.js";

/** A new folder that is removed when the test ends. */
export function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pdbench-serve-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A summary whose settings say what a list shows of a run. */
export function routedSummary(policy: string, threshold: number, parts: SummaryParts = {}): Summary {
  const settings = {
    seed: 1,
    workload: { trace: "chat.jsonl" },
    router: {
      prefill_policy: policy,
      decode_policy: policy,
      decider: { kind: "threshold", routing_threshold: threshold },
    },
  };
  return { ...summaryOf(parts), settings };
}

/** Writes a result, `ageMinutes` old. */
export function writeResult(directory: string, result: Summary | SweepResult, ageMinutes = 0): void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, result.schema === "pdbench/sweep@1" ? "sweep.json" : "summary.json");
  writeFileSync(file, JSON.stringify(result));
  const time = Date.now() / 1000 - ageMinutes * 60;
  utimesSync(file, time, time);
}

/** Starts the server, which ends with the test; a defect of it fails the test. */
export async function startSite(directory: string, options: Partial<ServeOptions> = {}): Promise<string> {
  const defects: unknown[] = [];
  const onDefect = (error: unknown): number => defects.push(error);
  const site = await startServe({ directory, port: 0, execute: inline, onDefect, ...options });
  onTestFinished(async () => {
    await site.close();
    if (defects.length > 0) throw defects[0];
  });
  return site.url;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks for a target exactly as it is written; `fetch` would tidy it up, and sets its own Host. */
export function ask(
  url: string,
  target: string,
  { method = "GET", headers = {}, body }: Asked = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: target, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
