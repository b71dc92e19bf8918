import { CONFORMANCE_CASES } from "../../../src/conformance/cases/all-cases.js";
import { KIT_DIALECTS } from "../../../src/conformance/dialects/kit-dialects.js";
import type { Setup } from "../../../src/conformance/exchange.js";
import { runCases, startFleet, waitUntilServing, type CaseResult } from "../../../src/conformance/run-kit.js";

export interface KitRun {
  readonly dialect?: string;
  /** Names of cases or groups; absent = all. */
  readonly only?: readonly string[];
  readonly timeoutMs?: number;
  readonly dataParallelSize?: number;
  readonly expectsAffinity?: boolean;
}

interface Router {
  readonly url: string;
  close(): Promise<void>;
}

/** Runs cases of the kit against a router that `start` puts in front of two prefill and two decode engines. */
export async function runKit(
  { dialect = "nixl", only, timeoutMs = 20_000, dataParallelSize = 1, expectsAffinity = false }: KitRun,
  start: (prefill: readonly string[], decode: readonly string[]) => Promise<Router>,
): Promise<readonly CaseResult[]> {
  const spoken = KIT_DIALECTS.find(({ name }) => name === dialect)!;
  const model = "conformance";
  const fleet = await startFleet({
    dialect: spoken,
    host: "127.0.0.1",
    basePort: 0,
    prefillWorkers: 2,
    decodeWorkers: 2,
    model,
  });
  const { engines, wire } = fleet;
  const urls = (role: string) => engines.filter((engine) => engine.role === role).map(({ url }) => url);
  const router = await start(urls("prefill"), urls("decode"));
  const setup: Setup = {
    url: router.url,
    dialect: spoken,
    engines,
    wire,
    model,
    timeoutMs,
    dataParallelSize,
    expectsAffinity,
  };
  const cases = CONFORMANCE_CASES.filter(
    ({ name }) =>
      only === undefined || only.some((wanted) => name === wanted || name.startsWith(`${wanted}/`)),
  );
  try {
    await waitUntilServing(setup, 30_000);
    return await runCases(cases, setup);
  } finally {
    await router.close();
    await fleet.close();
  }
}

/** What a reader of a failed test needs of results. */
export function complaints(results: readonly CaseResult[]): object[] {
  return results
    .filter(({ verdict }) => verdict === "failed" || verdict === "warned")
    .map(({ name, verdict, reasons, wire }) => ({ name, verdict, reasons, wire }));
}
