import { readdirSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { describe, expect, it } from "vitest";
import { executorOf, type ExecutorOptions } from "../../src/cli/executor-flags.js";
import { typedSettings } from "../../src/cli/override-flags.js";
import { packageVersion } from "../../src/package-info.js";
import { findScenario } from "../../src/scenario/load.js";
import { planSweep } from "../../src/sweep/plan.js";
import { connectRedis, parseRedisUrl } from "../../src/sweep/queue/redis-connection.js";
import { parseCommand } from "../support/parse-command.js";
import { describeWithPrograms, freePort, launchRedis } from "../support/redis-server.js";

const FOLDER = new URL("../../deploy/kubernetes/", import.meta.url);

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { name: string; valueFrom: { secretKeyRef: { name: string; key: string } } }[];
  readonly volumeMounts?: readonly { name: string; mountPath: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: { app?: string; matchLabels?: Record<string, string> };
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly Container[];
        readonly volumes?: readonly { name: string }[];
      };
    };
  };
}

const manifests = readdirSync(FOLDER).flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(file, FOLDER), "utf8")).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  }),
);
const pods = manifests.flatMap(({ spec }) => spec?.template ?? []);
const containers = pods.flatMap(({ spec }) => spec.containers);
const ours = containers.filter(({ image }) => image.startsWith("pdbench:"));

describe("the Kubernetes manifests", () => {
  it("run a coordinator and workers of this version", () => {
    expect(ours.map(({ name }) => name).sort()).toEqual(["coordinator", "worker"]);
    for (const { image } of ours) expect(image).toBe(`pdbench:${packageVersion()}`);
  });

  it("have command lines that pdbench takes", async () => {
    const options = (name: string) => parseCommand(ours.find((container) => container.name === name)!.args);
    expect((await options("worker")).opts()).toMatchObject({ threads: 2, idleExit: 600, cache: "/cache" });
    process.env["PDBENCH_REDIS_URL"] = secret("url");
    const sweep = await options("coordinator");
    delete process.env["PDBENCH_REDIS_URL"];
    await expect(executorOf(sweep.opts<ExecutorOptions>(), sweep)).resolves.toBeTypeOf("function");
    const seeds = sweep.opts<{ seeds: string }>().seeds;
    const plan = planSweep(findScenario(sweep.args[0]!), typedSettings(sweep), seeds);
    expect([plan.points.length, plan.seeds.length, plan.warnings]).toEqual([21, 5, []]);
  });

  it("fit together: service, secret, user, labels, volumes", () => {
    const url = new URL(parseRedisUrl(secret("url")).url);
    const redis = containers.find(({ name }) => name === "redis")!;
    expect(manifests.find(({ kind }) => kind === "Service")!.metadata.name).toBe(url.hostname);
    expect(url.password).toBe(secret("password"));
    expect(redis.args[0]).toContain(`--user ${url.username} on`);
    const labels = pods.flatMap(({ metadata }) => Object.values(metadata.labels));
    for (const { spec } of manifests) {
      const app = spec?.selector?.app ?? spec?.selector?.matchLabels?.["app"];
      if (app !== undefined) expect(labels).toContain(app);
    }
    for (const { env } of containers) {
      for (const { valueFrom } of env) {
        expect(valueFrom.secretKeyRef.name).toBe("pdbench-redis");
        expect(secret(valueFrom.secretKeyRef.key)).toBeTypeOf("string");
      }
    }
    for (const { spec } of pods) {
      const volumes = (spec.volumes ?? []).map(({ name }) => name);
      expect(
        spec.containers.flatMap(({ volumeMounts }) => volumeMounts ?? []).map(({ name }) => name),
      ).toEqual(volumes);
    }
  });
});

describeWithPrograms("the Redis of the manifests", ["redis-server"], () => {
  it("lets the user of the secret in, to the keys of pdbench, and nobody else", async () => {
    const { args } = containers.find(({ name }) => name === "redis")!;
    const port = await freePort();
    const command = args[0]!.replace("redis-server", `redis-server --port ${port} --bind 127.0.0.1`);
    const server = await launchRedis("sh", ["-c", command], { PASSWORD: secret("password") });
    const urlOf = (login: string) => parseRedisUrl(`redis://${login}127.0.0.1:${port}`);
    try {
      const redis = await connectRedis(urlOf(`pdbench:${secret("password")}@`), () => undefined);
      await redis.set("pdbench:blob:1", "x");
      await expect(redis.set("other", "x")).rejects.toThrow("NOPERM");
      redis.disconnect();
      await expect(connectRedis(urlOf(""), () => undefined)).rejects.toThrow("the server refuses the login");
    } finally {
      server.kill("SIGKILL");
    }
  });
});

function secret(key: string): string {
  return manifests.find(({ kind }) => kind === "Secret")!.stringData![key]!;
}
