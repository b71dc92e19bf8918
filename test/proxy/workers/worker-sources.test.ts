import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProcessLog } from "../../../src/proxy/process-log.js";
import { workersInFile } from "../../../src/proxy/workers/worker-file.js";
import { dnsSource } from "../../../src/proxy/workers/worker-sources.js";
import { post, startFleet, until, type Fleet } from "../support/fleet.js";
import { ManualClock } from "../support/manual-clock.js";
import { ScriptedEngine } from "../support/scripted-engine.js";

describe("a file with workers", () => {
  it("is YAML or JSON, with bootstrap ports where there are any", () => {
    const yaml =
      "prefill:\n  - { url: http://p:1, bootstrap_port: 8998 }\n  - http://q:1\ndecode: [http://d:1@3]";
    const workers = workersInFile(yaml, "f").map(({ leg, url }) => [leg, url.id, url.bootstrapPort]);
    expect(workers).toEqual([
      ["prefill", "http://p:1", 8998],
      ["prefill", "http://q:1", null],
      ["decode", "http://d:1@3", null],
    ]);
    expect(workersInFile('{"decode":["http://d:1"]}', "f")).toHaveLength(1);
  });

  it.each([
    ["", /f: expected prefill:/],
    ["decode: [", /f: .*expected prefill:/],
    ["decode: http://d:1", /decode is no list/],
    ["workers: []", /workers is unknown/],
    ["prefill: [http://p:1]", /no decode worker/],
    ["decode: [7]", /decode: got 7/],
    ["decode: [{ url: http://d:1, port: 3 }]", /port is unknown/],
    ["decode: [{ url: http://d:1, bootstrap_port: x }]", /bootstrap_port: got "x"/],
    ["decode: [d:1]", /is not a worker URL/],
  ])("cannot be %j", (text, message) => {
    expect(() => workersInFile(text, "f")).toThrow(message);
  });
});

describe("a name with workers", () => {
  it.each([
    ["vllm-decode.default.svc", 8000],
    ["vllm-decode:9000", 9000],
  ])("%s has port %i", (text, port) => {
    expect(dnsSource("decode", text, "--decode-dns")).toMatchObject({ leg: "decode", port });
  });

  it.each(["http://d:1", "d:0", "d:70000", ""])("is not %j", (text) => {
    expect(() => dnsSource("decode", text, "--decode-dns")).toThrow(/--decode-dns: got/);
  });
});

describe("a proxy whose workers come from elsewhere", () => {
  let folder: string;
  let engines: ScriptedEngine[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pdbench-sources-"));
    engines = await Promise.all([ScriptedEngine.start(), ScriptedEngine.start()]);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    await Promise.all(engines.map((engine) => engine.close()));
  });

  const router = { decider: "never", policy: "round_robin" };
  const complete = async ({ url }: Fleet) => {
    const response = await post(`${url}/v1/completions`, { prompt: "x", max_tokens: 1 });
    await response.text();
    return response.status;
  };
  /** Lets time pass until the proxy lists these workers. */
  const lists = async ({ url }: Fleet, timers: ManualClock, urls: readonly string[]) => {
    for (let turn = 0; turn < 2000; turn++) {
      timers.pass(100);
      const shown = (await (await fetch(`${url}/list_workers`)).json()) as { urls: string[] };
      if (JSON.stringify(shown.urls.toSorted()) === JSON.stringify(urls.toSorted())) return;
    }
    throw new Error(`never listed ${urls.join()}`);
  };

  it("follows a file, and keeps its workers while the file is wrong", async () => {
    const file = join(folder, "workers.yaml");
    const [first, second] = engines.map(({ url }) => url) as [string, string];
    await writeFile(file, `decode: [${first}]`);
    const timers = new ManualClock();
    const warnings: string[] = [];
    const log = new ProcessLog({ level: "warn", format: "text", write: (line) => warnings.push(line) });
    const sources = { file, dns: [], dnsIntervalMs: 1000 };
    const fleet = await startFleet({ router, prefill: 0, decode: 0, options: { timers, sources, log } });
    expect(await complete(fleet)).toBe(200);
    await writeFile(file, `decode: [${first}, ${second}]`);
    await lists(fleet, timers, [first, second]);
    await writeFile(file, `decode: [`);
    const isWarned = () => warnings.length > 0;
    await until(() => {
      timers.pass(100);
      return isWarned();
    });
    expect(warnings[0]).toMatch(/workers\.yaml.*the workers stay/s);
    await lists(fleet, timers, [first, second]);
    await writeFile(file, `decode: [${second}]`);
    await lists(fleet, timers, [second]);
    expect(await complete(fleet)).toBe(200);
    expect(engines[1]!.seen).toHaveLength(1);
  });

  it("follows a name, and keeps its workers while the name cannot be resolved", async () => {
    const timers = new ManualClock();
    const port = Number(new URL(engines[0]!.url).port);
    const answers: { now: readonly string[] | Error } = { now: ["127.0.0.1"] };
    let asked = 0;
    const resolve = (host: string) => {
      expect(host).toBe("decode.svc");
      asked++;
      return answers.now instanceof Error ? Promise.reject(answers.now) : Promise.resolve(answers.now);
    };
    const dns = [{ leg: "decode", host: "decode.svc", port }] as const;
    const sources = { file: null, dns, dnsIntervalMs: 1000, resolve };
    const fleet = await startFleet({ router, prefill: 0, decode: 1, options: { timers, sources } });
    const byHand = fleet.decode[0]!.url;
    await lists(fleet, timers, [byHand, `http://127.0.0.1:${port}`]);
    answers.now = new Error("SERVFAIL");
    const before = asked;
    await until(() => {
      timers.pass(100);
      return asked > before;
    });
    await lists(fleet, timers, [byHand, `http://127.0.0.1:${port}`]);
    answers.now = ["127.0.0.9", "::1"];
    await lists(fleet, timers, [byHand, `http://127.0.0.9:${port}`, `http://[::1]:${port}`]);
    answers.now = [];
    await lists(fleet, timers, [byHand]);
    expect(await complete(fleet)).toBe(200);
  });

  it("does not start with a file that is wrong or absent", async () => {
    const sources = { file: join(folder, "none.yaml"), dns: [], dnsIntervalMs: 1000 };
    await expect(startFleet({ router, decode: 0, options: { sources } })).rejects.toThrow(
      /cannot read .*ENOENT/,
    );
  });
});
