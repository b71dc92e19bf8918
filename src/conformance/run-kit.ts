import { WorkError } from "../errors.js";
import { likeVllm } from "./answerings.js";
import { completionBody } from "./bodies.js";
import { CaseFailure, CaseSkipped, Findings, type Verdict } from "./findings.js";
import { Probe, type ConformanceCase } from "./conformance-case.js";
import type { KitDialect } from "./dialects/kit-dialect.js";
import { Exchange, type Setup } from "./exchange.js";
import { KitEngine } from "./kit-engine.js";
import { Wire } from "./wire.js";
import { wireLines } from "./wire-lines.js";

/** What became of a case. */
export interface CaseResult {
  readonly name: string;
  readonly rule: string;
  readonly verdict: Verdict;
  /** Why it failed, was warned of or was skipped, most important first. */
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  /** What was seen on the wire, a line for each request and answer, in order. */
  readonly wire: readonly string[];
  readonly durationMs: number;
}

/** The engines that a router is put in front of. */
export interface KitFleet {
  /** Prefill engines first. */
  readonly engines: readonly KitEngine[];
  readonly wire: Wire;
  close(): Promise<void>;
}

export interface KitFleetOptions {
  readonly dialect: KitDialect;
  readonly host: string;
  /** Port of the first prefill engine, the others follow; 0 = any free ports. */
  readonly basePort: number;
  readonly prefillWorkers: number;
  readonly decodeWorkers: number;
  readonly model: string;
}

/** Starts the engines. @throws WorkError when an address is taken */
export async function startFleet(options: KitFleetOptions): Promise<KitFleet> {
  const { dialect, host, basePort, prefillWorkers, decodeWorkers, model } = options;
  const wire = new Wire();
  const engines: KitEngine[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(engines.map((engine) => engine.close()));
  };
  try {
    for (let i = 0; i < prefillWorkers + decodeWorkers; i++) {
      const place =
        i < prefillWorkers
          ? ({ role: "prefill", index: i } as const)
          : ({ role: "decode", index: i - prefillWorkers } as const);
      const port = basePort === 0 ? 0 : basePort + i;
      const engine = await KitEngine.start({
        ...place,
        host,
        port,
        model,
        wire,
        answering: likeVllm(dialect),
      });
      engines.push(engine);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { engines, wire, close };
}

const BETWEEN_TRIES_MS = 100;

/**
 * Waits until the router takes a request to its workers.
 *
 * @param hasEnded True when there is nothing left to wait for.
 * @throws WorkError when it does not within `readyTimeoutMs`, with what it answered last
 */
export async function waitUntilServing(
  setup: Setup,
  readyTimeoutMs: number,
  hasEnded: () => boolean = () => false,
): Promise<void> {
  const deadlineMs = performance.now() + readyTimeoutMs;
  let last = "nothing";
  while (performance.now() < deadlineMs && !hasEnded()) {
    const x = new Exchange(setup, {});
    const call = x.post("/v1/completions", completionBody(x, setup.model));
    try {
      await call.over();
      if (call.status === 200 && x.legs("decode").length > 0) return;
      last = call.status === null ? "no connection" : `status ${call.status}: ${call.text.slice(0, 200)}`;
    } catch {
      last = "no end of its answer";
      call.leave();
    }
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
  throw new WorkError(
    hasEnded()
      ? "the router has ended before it served a completion"
      : `the router at ${setup.url} does not serve a completion after ${readyTimeoutMs / 1000} s; the last try got ${last}`,
  );
}

/** Runs the cases one after another. @param onResult told of each as it ends */
export async function runCases(
  cases: readonly ConformanceCase[],
  setup: Setup,
  onResult: (result: CaseResult) => void = () => undefined,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases) {
    const result = await runCase(one, setup);
    results.push(result);
    onResult(result);
    if (one.hasFaults === true) await soothe(setup);
  }
  return results;
}

async function runCase(one: ConformanceCase, setup: Setup): Promise<CaseResult> {
  const findings = new Findings();
  const probe = new Probe(setup, findings);
  const startMs = performance.now();
  let skipped: string | null = null;
  try {
    await one.run(probe);
  } catch (error) {
    if (error instanceof CaseSkipped) skipped = error.message;
    else if (error instanceof CaseFailure) findings.fail(error.message);
    else throw error;
  }
  for (const { client } of probe.exchanges) client?.leave();
  const isSkipped = skipped !== null && findings.failures.length === 0;
  return {
    name: one.name,
    rule: one.rule,
    verdict: isSkipped ? "skipped" : findings.verdict,
    reasons: isSkipped ? [skipped!] : [...findings.failures, ...findings.differences],
    notes: findings.notes,
    wire: probe.exchanges.flatMap(wireLines),
    durationMs: performance.now() - startMs,
  };
}

/** Requests that go well, so that workers which were made to fail count as healthy again. */
async function soothe(setup: Setup): Promise<void> {
  const rounds = setup.engines.length * 2;
  for (let i = 0; i < rounds; i++) {
    const x = new Exchange(setup, {});
    const call = x.post("/v1/completions", completionBody(x, setup.model));
    try {
      await call.over();
    } catch {
      // The next case will say so.
      call.leave();
    }
  }
}

/** How many cases came to each verdict. */
export function tallyOf(results: readonly CaseResult[]): Readonly<Record<Verdict, number>> {
  const tally = { passed: 0, warned: 0, failed: 0, skipped: 0 };
  for (const { verdict } of results) tally[verdict]++;
  return tally;
}

/** e.g. `52 passed, 0 failed, 3 warned, 2 skipped`. */
export function tallyLine(results: readonly CaseResult[]): string {
  const { passed, failed, warned, skipped } = tallyOf(results);
  return `${passed} passed, ${failed} failed, ${warned} warned, ${skipped} skipped`;
}
