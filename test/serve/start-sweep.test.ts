import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readScenarioSource } from "../../src/scenario/scenario-source.js";
import type { JobState } from "../../src/serve/sweep-jobs.js";
import type { Executor } from "../../src/sweep/executor.js";
import { planSweep } from "../../src/sweep/plan.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";
import { comparable, inline, run, SMALL_SWEEP } from "../sweep/sweep-bench.js";
import { ask, newFolder, startSite, type Answer } from "./site.js";

type Fields = Readonly<Record<string, string>>;

const FORM: Fields = {
  scenario: "file:small.yaml",
  routing_threshold: "0,1000",
  policy: "random",
  seeds: "1",
  out: "first",
};

function folderWithScenario(): string {
  const folder = newFolder();
  writeFileSync(join(folder, "small.yaml"), SMALL_SWEEP);
  return folder;
}

/** Sends a form as a page of the server does. */
async function send(url: string, target: string, fields: Fields, headers: Fields = {}): Promise<Answer> {
  const { text } = await ask(url, "/sweeps/new");
  const token = /name="token" value="([^"]+)"/.exec(text)![1]!;
  const body = new URLSearchParams({ token, ...fields }).toString();
  const own = { origin: url, "content-type": "application/x-www-form-urlencoded" };
  return ask(url, target, { method: "POST", headers: { ...own, ...headers }, body });
}

/** Follows the server's events until the latest sweep is as wanted. */
function latestSweep(url: string, isWanted: (job: JobState) => boolean): Promise<JobState> {
  return new Promise((resolve, reject) => {
    let text = "";
    const request = get(`${url}/events`, { agent: false }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        const events = text.split("\n\n");
        text = events.pop()!;
        const found = events
          .map((event) => (JSON.parse(event.replace(/^data: /, "")) as readonly JobState[])[0]!)
          .find(isWanted);
        if (found === undefined) return;
        resolve(found);
        request.destroy();
      });
    });
    request.on("error", reject);
  });
}

/** Runs the first task, then waits until it is stopped. */
const stuckAfterOne: Executor = async (tasks, context) => {
  await inline(tasks.slice(0, 1), context);
  const { signal } = context;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
};

describe("a form", () => {
  it("is taken from the server's own pages only", async () => {
    const folder = folderWithScenario();
    const url = await startSite(folder);
    for (const [status, fields, headers] of [
      [403, FORM, { origin: "http://evil.example" }],
      [403, FORM, { origin: "null" }],
      [403, FORM, { origin: url.replace("http:", "https:") }],
      [403, FORM, { origin: url.replace("127.0.0.1", "localhost") }],
      [403, FORM, { host: "evil.example", origin: "http://evil.example" }],
      [403, { ...FORM, token: "" }, {}],
      [403, { ...FORM, token: "guessed" }, {}],
      [415, FORM, { "content-type": "text/plain" }],
      [413, { ...FORM, settings: "x".repeat(65_536) }, {}],
    ] as const) {
      for (const target of ["/sweeps", "/sweeps/check", "/sweep/stop"]) {
        const answer = await send(url, target, fields, headers);
        expect([target, answer.status]).toEqual([target, status]);
      }
    }
    const bare = await ask(url, "/sweeps", { method: "POST", body: "" });
    expect(bare.status).toBe(403);
    expect(readdirSync(folder)).toEqual(["small.yaml"]);
  });

  it("says what it would run, and the command that does the same", async () => {
    const folder = folderWithScenario();
    const url = await startSite(folder);
    const { text } = await send(url, "/sweeps/check", { ...FORM, settings: "engine.max_num_seqs=64,128\n" });
    expect(JSON.parse(text)).toEqual({
      words: "4 points x 1 seed = 4 runs",
      command:
        `pdbench sweep ${folder}/small.yaml --routing-threshold 0,1000 --policy random ` +
        `--set engine.max_num_seqs=64,128 --seeds 1 --out ${folder}/first`,
    });
  });

  it("that cannot run is shown again with what is wrong, and nothing is touched", async () => {
    const folder = folderWithScenario();
    symlinkSync("/etc", join(folder, "link"));
    const url = await startSite(folder);
    for (const [fields, words] of [
      [{ scenario: "name:none" }, "Scenario: expected one of the list"],
      [{ scenario: "file:gone.yaml" }, "gone.yaml: no such file below the folder"],
      [{ scenario: "file:../small.yaml" }, "not a path below"],
      [{ scenario: "file:link/passwd" }, "not a path below"],
      [{ routing_threshold: "many" }, "--routing-threshold"],
      [{ policy: "robin" }, "robin&quot; is not known"],
      [{ seeds: "x" }, "--seeds: x: expected how many seeds"],
      [{ settings: "engine.max_num_seqs" }, "expected path.to.setting=value"],
      [{ settings: "engine.max_seqs=4" }, "no setting engine.max_seqs"],
      [{ trace: "../x.jsonl" }, "expected a file below"],
      [{ trace: "link/passwd" }, "expected a file below"],
      [{ settings: "workload.trace=/etc/passwd" }, "/etc/passwd: expected a file below"],
      [{ settings: "fleet.decode.profile=link/passwd" }, "link/passwd: expected a file below"],
      [{ settings: "fleet={decode: {profile: /etc/passwd}}" }, "/etc/passwd: expected a file below"],
      [{ settings: "profile=a.yaml,/etc/passwd" }, "/etc/passwd: expected a file below"],
      [{ out: "" }, "expected a name of letters"],
      [{ out: "../first" }, "expected a name of letters"],
      [{ out: "/tmp/first" }, "expected a name of letters"],
      [{ out: "link/first" }, "not a path below"],
      [{ out: "small.yaml" }, "is a file, expected a folder"],
    ] as const) {
      const { status, text } = await send(url, "/sweeps", { ...FORM, ...fields });
      const problem = /role="alert"[^>]*><p>([^<]*)</.exec(text)?.[1];
      expect([status, problem], JSON.stringify(fields)).toEqual([422, expect.stringContaining(words)]);
      expect(text).toContain('<option value="file:small.yaml"');
    }
    expect(readdirSync(folder).sort()).toEqual(["link", "small.yaml"]);
  });
});

describe("a sweep that is started here", () => {
  it("tells how far it is and leaves the very results of pdbench sweep", async () => {
    const folder = folderWithScenario();
    const url = await startSite(folder, { nowMs: () => 0 });
    const { status, headers } = await send(url, "/sweeps", FORM);
    expect([status, headers.location]).toEqual([303, "/sweep?id=1"]);
    const job = await latestSweep(url, (one) => one.status === "done");
    expect(job).toEqual({
      id: 1,
      out: "first",
      status: "done",
      done: 2,
      total: 2,
      words: "all 2 runs are done, in 0 ms",
    });
    expect(readdirSync(join(folder, "first")).sort()).toEqual([
      "points.csv",
      "points.jsonl",
      "report.html",
      "report.md",
      "sweep-form.json",
      "sweep.json",
    ]);
    const typed = [
      { setting: "policy", text: "random", source: "--policy" },
      { setting: "routing_threshold", text: "0,1000", source: "--routing-threshold" },
    ];
    const direct = await run(planSweep(readScenarioSource(join(folder, "small.yaml")), typed, "1"));
    const written = JSON.parse(readFileSync(join(folder, "first", "sweep.json"), "utf8")) as SweepResult;
    expect(comparable(withoutTimes(written))).toBe(comparable(withoutTimes(direct)));
    expect((await ask(url, "/sweep?id=1")).text).toContain('href="/results?of=first"');
    expect((await ask(url, "/results?of=first")).text).toContain('href="/sweeps/new?from=first"');
  });

  it("is stopped, and goes on after the server has ended; the next one waits for it", async () => {
    const folder = folderWithScenario();
    const before = await startSite(folder, { execute: stuckAfterOne });
    await send(before, "/sweeps", FORM);
    await latestSweep(before, ({ done }) => done === 1);
    await send(before, "/sweeps", { ...FORM, out: "second" });
    const waiting = await latestSweep(before, ({ id }) => id === 2);
    expect(waiting).toMatchObject({ status: "waiting", words: "2 runs, waiting for the sweep before it" });
    for (const id of ["2", "1"]) expect((await send(before, "/sweep/stop", { id })).status).toBe(303);
    expect(await latestSweep(before, ({ status }) => status === "stopped")).toMatchObject({ out: "second" });
    expect(existsSync(join(folder, "second"))).toBe(false);
    const { text } = await ask(before, "/");
    expect(text).toContain("stopped at 1 of 2 runs, which are kept");
    expect(text).toContain("1 of 2 runs done");
    expect(text).toContain('href="/sweeps/new?from=first"');

    const after = await startSite(folder);
    const form = (await ask(after, "/sweeps/new?from=first")).text;
    for (const filled of [
      'name="out" value="first"',
      'value="0,1000"',
      'value="random" checked',
      'name="seeds" value="1"',
    ]) {
      expect(form).toContain(filled);
    }
    await send(after, "/sweeps", FORM);
    expect(await latestSweep(after, ({ status }) => status === "done")).toMatchObject({ done: 2 });
    expect(existsSync(join(folder, "first", "sweep.json"))).toBe(true);
  });

  it("that fails says why", async () => {
    const folder = folderWithScenario();
    const url = await startSite(folder);
    await send(url, "/sweeps", FORM);
    await latestSweep(url, ({ status }) => status === "done");
    await send(url, "/sweeps", { ...FORM, seeds: "2" });
    const { words } = await latestSweep(url, ({ id, status }) => id === 2 && status === "failed");
    expect(words).toContain("holds another sweep: seeds is [1] there and [1,2] here");
    expect((await ask(url, "/sweeps/new?job=2")).text).toContain('name="seeds" value="2"');
    expect((await ask(url, "/sweep?id=3")).status).toBe(404);
  });
});

/** Without how long the simulator took. */
function withoutTimes(sweep: SweepResult): SweepResult {
  return JSON.parse(JSON.stringify(sweep), (key, value: unknown) =>
    key === "simulator" ? undefined : value,
  ) as SweepResult;
}
