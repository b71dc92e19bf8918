import { describe, expect, it } from "vitest";
import { randomStream, type Random } from "../../src/values/random.js";
import type { RunningEngine } from "../../mock-engines/start-mock-engines.js";
import { decodeOf, prefillOf, startFleet, until } from "./fleet.js";

/** A client that may leave at any time; failures of every kind are part of the test. */
async function send(
  engine: RunningEngine,
  body: object,
  leaveAfterMs: number | null,
): Promise<Readonly<Record<string, unknown>> | null> {
  const signal = leaveAfterMs === null ? null : AbortSignal.timeout(leaveAfterMs);
  try {
    const response = await fetch(`${engine.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    const text = await response.text();
    return response.ok ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

/** One request as a careless router would send it: sometimes the handle is spoiled, used twice or forgotten. */
async function request(random: Random, prefill: RunningEngine, decode: RunningEngine): Promise<void> {
  const prompt = Array.from({ length: 20 + random.nextInt(1500) }, () => random.nextInt(5));
  const leaves = random.nextFloat() < 0.1 ? random.nextInt(20) + 1 : null;
  const max_tokens = 1 + random.nextInt(60);
  if (random.nextFloat() < 0.4) {
    await send(decode, { prompt, max_tokens }, leaves);
    return;
  }
  const first = await send(
    prefill,
    { prompt, max_tokens: 1, kv_transfer_params: { do_remote_decode: true } },
    leaves,
  );
  const handle = first?.["kv_transfer_params"];
  if (handle === undefined || random.nextFloat() < 0.05) return;
  const spoiled = random.nextFloat() < 0.05 ? { ...(handle as object), remote_block_ids: [1] } : handle;
  const body = { prompt, max_tokens, kv_transfer_params: spoiled };
  await send(decode, body, leaves);
  if (random.nextFloat() < 0.05) await send(decode, body, null);
}

describe("a fleet under mixed requests, aborts, faults and careless routing", () => {
  it("holds nothing afterwards: no request, no block, no handle, no transfer", async () => {
    const fleet = await startFleet({
      timeScale: 0.02,
      settings: { "engine.num_gpu_blocks": 1200, "engine.max_model_len": 2000 },
      knobs: {
        error_rate: 0.02,
        reset_rate: 0.02,
        midstream_reset_rate: 0.02,
        kv_failure_rate: 0.05,
        kv_load_failure_policy: "recompute",
        kv_lease_ms: 60_000,
      },
    });
    const [prefill, decode] = [prefillOf(fleet), decodeOf(fleet)];
    const random = randomStream(1, "clients");
    const client = async (): Promise<void> => {
      for (let i = 0; i < 15; i++) await request(random, prefill, decode);
    };
    await Promise.all(Array.from({ length: 12 }, client));

    const states = () => [prefill, decode].map((engine) => engine.state());
    const idle = { openLegs: 0, running: 0, waiting: 0, blocksInUse: 0, handlesOutstanding: 0 };
    await until(() =>
      states().every(
        ({ serverLoad, ranks: [rank] }) =>
          serverLoad === 0 && rank!.openLegs === 0 && rank!.blocksInUse === 0,
      ),
    );
    for (const { ranks } of states()) expect(ranks[0]).toMatchObject(idle);
    const { handlesIssued, handlesRead, handlesReleased, handlesExpired } = prefill.state().ranks[0]!;
    await fleet.close();
    expect(handlesIssued).toBeGreaterThan(50);
    expect(handlesRead).toBeGreaterThan(30);
    expect(handlesExpired).toBeGreaterThan(0);
    expect(handlesRead + handlesReleased + handlesExpired).toBe(handlesIssued);
  });
});
