import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { proxyCommand } from "../../src/cli/proxy.js";
import { REFUSED_FLAGS } from "../../src/proxy/refused-flags.js";
import type { ProxyOptions } from "../../src/proxy/proxy-options.js";
import { startProxy } from "../../src/proxy/server.js";
import { post } from "./support/fleet.js";
import { PRODUCTION_STACK, VLLM_ROUTER } from "./support/product-flags.js";
import { ScriptedEngine } from "./support/scripted-engine.js";

/** The options that a command line stands for. */
async function optionsOf(args: readonly string[]): Promise<ProxyOptions> {
  let options: ProxyOptions | undefined;
  const command = proxyCommand((read) => {
    options = read;
    return Promise.resolve();
  });
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(args, { from: "user" });
  return options!;
}

const PRODUCTS = [
  ["vllm-router", VLLM_ROUTER],
  ["production-stack", PRODUCTION_STACK],
] as const;

describe.each(PRODUCTS)("the flags of %s", (_, { base: productBase, honoured, refused }) => {
  it.each(Object.entries(honoured))(
    "--%s is honoured",
    async (flag, { args, brings, only, base = productBase }) => {
      expect(refused).not.toContain(flag);
      expect(REFUSED_FLAGS.has(flag), "is refused").toBe(false);
      const options = await optionsOf([...base, ...args]);
      if (brings !== undefined) {
        expect(options).toMatchObject(brings);
        expect(await optionsOf(base), "changes nothing").not.toMatchObject(brings);
      }
      if (only !== undefined) {
        const other = [args[0]!, "another,thing"];
        await expect(optionsOf([...base, ...other])).rejects.toThrow(args[0]!);
      }
    },
  );

  it.each(refused)("--%s is refused, with a reason", async (flag) => {
    const reason = REFUSED_FLAGS.get(flag);
    await expect(optionsOf([...productBase, `--${flag}`, "1"])).rejects.toThrow(
      `--${flag} is not supported: ${reason}`,
    );
  });
});

/** Starts the proxy that a command line stands for, before engines whose URLs take the place of `{0}`, `{1}`... */
async function serves(line: string, engineCount: number): Promise<readonly ScriptedEngine[]> {
  const engines = await Promise.all(Array.from({ length: engineCount }, () => ScriptedEngine.start()));
  const words = line
    .split(/\s+/)
    .map((word) => word.replace(/\{(\d)\}/g, (_, i: string) => engines[Number(i)]!.url));
  const proxy = await startProxy({ ...(await optionsOf(words)), port: 0 });
  const body = { model: "m", prompt: "All work and no play", max_tokens: 3 };
  const response = await post(`${proxy.url}/v1/completions`, body);
  expect(response.status).toBe(200);
  expect(await response.text()).toContain(" t0 t1 t2");
  await proxy.close();
  await Promise.all(engines.map((engine) => engine.close()));
  return engines.filter(({ bodies }) => bodies.some((sent) => sent.includes("All work")));
}

describe("a command line of another router", () => {
  it.each([
    [
      "vllm-router, data parallelism",
      1,
      `--worker-urls {0} {1} --policy consistent_hash --intra-node-data-parallel-size 8`,
    ],
    [
      "vllm-router, disaggregation",
      2,
      `--policy consistent_hash --vllm-pd-disaggregation --prefill {0} --prefill {1} --decode {2} --decode {3}
       --decode {4} --decode {5} --host 127.0.0.1 --port 8090 --intra-node-data-parallel-size 1`,
    ],
    [
      "vllm-router, bootstrap ports and a policy for each leg",
      2,
      `--vllm-pd-disaggregation --prefill {0} 9000 --prefill {1} none --decode {2} --decode {3}
       --prefill-policy cache_aware --decode-policy power_of_two`,
    ],
    [
      "production-stack, round robin",
      1,
      `--port 8000 --service-discovery static --static-backends {0},{1},{2} --static-models m,m,m
       --engine-stats-interval 10 --log-stats --routing-logic roundrobin --log-level critical`,
    ],
    [
      "production-stack, the example of its README",
      1,
      `--port 8000 --service-discovery static --static-backends {0},{1},{2}
       --static-models facebook/opt-125m,meta-llama/Llama-3.1-8B-Instruct,facebook/opt-125m
       --static-aliases m:facebook/opt-125m --static-model-types completion,chat,completion
       --static-backend-health-checks --engine-stats-interval 10 --log-stats --log-level critical
       --routing-logic roundrobin`,
    ],
    [
      "production-stack, disaggregated prefill",
      2,
      `--port 8005 --service-discovery static --static-backends {0},{1} --static-models m,m
       --static-model-labels llama-prefill,llama-decode --log-stats --log-stats-interval 10 --log-level critical
       --engine-stats-interval 10 --request-stats-window 10 --routing-logic disaggregated_prefill
       --prefill-model-labels llama-prefill --decode-model-labels llama-decode`,
    ],
    [
      "production-stack, a threshold (#890)",
      2,
      `--service-discovery static --static-backends {0},{1} --static-models m,m --static-model-labels p,d
       --routing-logic disaggregated_prefill --prefill-model-labels p --decode-model-labels d
       --routing-threshold 5 --load-balancing-strategy round_robin`,
    ],
  ])("serves: %s", async (_, legs, line) => {
    expect(await serves(line, 6)).toHaveLength(legs);
  });

  it.each([
    ["--static-backends http://a:1 --routing-logic roundrobin", { port: 8001, host: "127.0.0.1" }],
    ["--worker-urls http://a:1", { port: 30000, host: "127.0.0.1" }],
    [
      `--static-backends http://a:1,http://b:1 --static-model-labels p,d --prefill-model-labels p
       --decode-model-labels d --routing-logic disaggregated_prefill_orchestrated`,
      { connector: { remoteHost: "prefill_url" } },
    ],
  ])("has that product's defaults, and loopback: %s", async (line, expected) => {
    expect(await optionsOf(line.split(/\s+/))).toMatchObject(expected);
  });

  it.each([
    ["--vllm-pd-disaggregation --worker-urls http://a:1", /with --worker-urls: expected --prefill/],
    ["--vllm-pd-disaggregation --routing-logic session", /with --routing-logic/],
    ["--vllm-pd-disaggregation --decode http://d:1", /no prefill worker/],
    ["--static-backends http://a:1 --routing-logic disaggregated_prefill", /expected --prefill-model-labels/],
    [
      "--static-backends http://a:1 --static-model-labels p --prefill-model-labels p --routing-logic roundrobin",
      /roundrobin takes no/,
    ],
    [
      "--static-backends http://a:1,http://b:1 --static-models m",
      /got 1 for 2 backends, expected one for each/,
    ],
    [
      "--static-backends http://a:1 --static-models m --static-aliases gpt4:n",
      /expected one of --static-models/,
    ],
    [
      "--static-backends http://a:1 --static-models m --static-aliases m:m",
      /m is a model, or an alias, already/,
    ],
    ["--static-backends http://a:1 --static-models m --static-aliases m", /got m, expected ALIAS:MODEL/],
    [
      "--static-backends http://a:1 --static-models m --static-model-types talk",
      /got talk, expected chat, comp/,
    ],
    [
      "--static-backends http://a:1 --static-models m --static-backend-health-checks",
      /expected --static-model-types with it/,
    ],
    [
      "--static-backends http://a:1 --static-models m --static-backend-health-check-interval 3",
      /no effect without --static-backend-health-checks/,
    ],
    [
      `--static-backends http://a:1 --static-models m --static-model-types chat --static-backend-health-checks
       --disable-health-checks`,
      /--disable-health-checks with --static-backend-health-checks: expected one/,
    ],
    ["--decode http://d:1 --static-aliases a:m", /--static-aliases has no effect without --static-backends/],
    ["--decode http://d:1 --static-models m", /--static-models has no effect without --static-backends/],
    ["--decode http://d:1 --log-stats-interval 3", /no effect without --log-stats/],
    ["--decode http://d:1 --log-level loud", /expected one of trace, debug/],
    [
      "--decode http://d:1 --service-discovery",
      /--service-discovery: .* is not supported, expected static: .*--decode-dns/,
    ],
  ])("is refused where it contradicts itself: %s", async (line, message) => {
    await expect(optionsOf(line.split(/\s+/))).rejects.toThrow(message);
  });
});

describe("docs/proxy-flags.md", () => {
  const [honoured, refused] = readFileSync("docs/proxy-flags.md", "utf8")
    .split("\n## Refused")
    .map((text) => new Set([...text.matchAll(/`--([a-z0-9-]+)/g)].map(([, flag]) => flag!)));

  it("names every flag of both products that is honoured", () => {
    const flags = PRODUCTS.flatMap(([, product]) => Object.keys(product.honoured));
    expect(flags.filter((flag) => !honoured!.has(flag))).toEqual([]);
  });

  it("names what is refused, and nothing else, as refused", () => {
    const reasons = new Set([
      ...["api-key", "otlp-url", "vllm-pd-disaggregation", "intra-node-data-parallel-size"],
      ...["health-check-interval-secs", "retry-max-retries", "static-models"],
    ]);
    const named = [...refused!].filter((flag) => !reasons.has(flag));
    expect(named.sort()).toEqual([...REFUSED_FLAGS.keys()].sort());
  });
});
