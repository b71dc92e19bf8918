import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { proxyCommand } from "../../../src/cli/proxy.js";
import { routerBlock, type RoutingFlags } from "../../../src/proxy/routing-flags.js";
import { workersOf, type WorkerFlags } from "../../../src/proxy/worker-flags.js";
import { differences, type Difference, type Emission } from "../../../src/report/emit/emission.js";
import { emitTargetNamed } from "../../../src/report/emit/targets.js";
import { settingsOfBlock, wantedOf } from "../../../src/report/emit/wanted.js";
import { resolveRouterConfig } from "../../../src/routing/router-config.js";
import { summaryOf } from "../sweep-builder.js";
import { routerBlocks } from "./router-blocks.js";

function wanted(router: Readonly<Record<string, unknown>>) {
  const settings = { fleet: { prefill: { workers: 2 }, decode: { workers: 3 } }, router };
  return wantedOf({ ...summaryOf(), settings }, "run");
}

/** The words after the program's name. */
function wordsOf({ form }: Emission): string[] {
  if (!("command" in form)) throw new Error("expected a command line");
  return form.command.flags.flat();
}

/** What `pdbench proxy` reads from its command line. */
function readByProxy(words: readonly string[]): RoutingFlags & WorkerFlags {
  let read: (RoutingFlags & WorkerFlags) | undefined;
  const command = proxyCommand()
    .exitOverride()
    .action((flags: RoutingFlags & WorkerFlags) => {
      read = flags;
    });
  command.parse(words, { from: "user" });
  return read!;
}

const configOf = (block: Readonly<Record<string, unknown>>) => resolveRouterConfig(block).config;

describe("the command line of pdbench", () => {
  it("is read by the proxy as the very settings it was written from", () => {
    fc.assert(
      fc.property(routerBlocks(), (block) => {
        const flags = readByProxy(wordsOf(emitTargetNamed("pdbench").emit(wanted(block))));
        expect(configOf(routerBlock(flags))).toEqual(configOf(block));
      }),
      { numRuns: 60 },
    );
  });

  it("names every worker of the fleet", () => {
    const flags = readByProxy(wordsOf(emitTargetNamed("pdbench").emit(wanted({}))));
    const { prefill, decode } = workersOf(flags);
    expect([prefill.length, decode.length]).toEqual([2, 3]);
  });
});

/** What tells the proxy to be like a product, besides the product's own flags. */
const LIKE_PRODUCT: Readonly<Record<string, (flags: RoutingFlags) => RoutingFlags>> = {
  "vllm-router": ({ workerUrls }) => ({
    preset: workerUrls === undefined ? "vllm-router" : "vllm-router-regular",
  }),
  "production-stack": ({ routingLogic }) => {
    if (routingLogic === "disaggregated_prefill") return { preset: "production-stack-conditional" };
    return routingLogic === "disaggregated_prefill_orchestrated" ? { preset: "production-stack" } : {};
  },
};

describe.each(Object.entries(LIKE_PRODUCT))("the command line of %s", (product, likeProduct) => {
  const policies = ["round_robin", "random", "cache_aware", "power_of_two", "least_loaded", "in_flight"];
  const blocks = routerBlocks(["always", "never", "threshold", "uncached_tokens"], policies);

  it("makes the proxy, under the product's preset, route as wanted but where it says that it does not", () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const target = wanted(block);
        const emission = emitTargetNamed(product).emit(target);
        const flags = readByProxy(wordsOf(emission));
        const read = settingsOfBlock(routerBlock({ ...flags, ...likeProduct(flags) }));
        const paths = (all: readonly Difference[]) =>
          all.map(({ setting }) => setting).filter((setting) => !setting.startsWith("signals."));
        expect(paths(differences(target, read, {}))).toEqual(paths(emission.differences));
      }),
      { numRuns: 60 },
    );
  });
});

describe("a preset written for its own product", () => {
  it.each([
    ["vllm-router", "vllm-router"],
    ["vllm-router-regular", "vllm-router"],
    ["production-stack", "production-stack"],
    ["production-stack-conditional", "production-stack"],
    ["llm-d", "llm-d"],
    ["dynamo", "dynamo"],
    ["aibrix", "aibrix"],
  ])("%s is expressed in full", (preset, product) => {
    expect(emitTargetNamed(product).emit(wanted({ preset })).differences).toEqual([]);
  });
});

describe("the command line of production-stack", () => {
  it("is read back with the preset as the whole configuration, threshold and strategy included", () => {
    const block = {
      preset: "production-stack-conditional",
      decider: { kind: "threshold", routing_threshold: 4096 },
      policy: "least_loaded",
    };
    const emission = emitTargetNamed("production-stack").emit(wanted(block));
    const { routingLogic, ...flags } = readByProxy(wordsOf(emission));
    expect(routingLogic).toBe("disaggregated_prefill");
    expect(emission.differences).toEqual([]);
    expect(configOf(routerBlock({ ...flags, preset: "production-stack-conditional" }))).toEqual(
      configOf(block),
    );
    const { prefill, decode } = workersOf(flags);
    expect([prefill.length, decode.length]).toEqual([2, 3]);
  });
});
