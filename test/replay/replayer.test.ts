import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Replayer, type ReplayOptions, type ReplayProgress } from "../../src/replay/replayer.js";
import { DEFAULT_TOKEN_RANGE } from "../../src/replay/prompt-tokens.js";
import type { Workload } from "../../src/workload/workload.js";
import { PATHS, STATUSES } from "../../src/measure/records.js";
import { eventsOf, likeVllm, ScriptedEngine, sendJson, sse } from "../proxy/support/scripted-engine.js";
import { startFleet } from "../proxy/support/fleet.js";
import { SteppedClock } from "./support/stepped-clock.js";
import { workloadOf } from "./support/workload.js";

let engine: ScriptedEngine;
beforeEach(async () => {
  engine = await ScriptedEngine.start();
});
afterEach(async () => {
  await engine.close();
});

function optionsFor(workload: Workload, changes: Partial<ReplayOptions> = {}): ReplayOptions {
  return {
    url: engine.url,
    workload,
    body: { endpoint: "completions", promptForm: "ids", model: "mock" },
    tokenRange: DEFAULT_TOKEN_RANGE,
    headers: {},
    timeScale: 1,
    timeoutMs: 60_000,
    warmups: 0,
    ...changes,
  };
}

const statuses = (records: { status: Uint8Array }) => [...records.status].map((status) => STATUSES[status]);

describe("an open-loop replay", () => {
  it("sends every request at its time, whatever became of those before, and never early", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      arrivalMs: i * 3,
      blocks: [0, i],
      inputTokens: 32,
      outputTokens: 4,
    }));
    const { run, scheduleLagMs, requestedRate, achievedRate } = await new Replayer(
      optionsFor(workloadOf(rows)),
    ).run();
    expect(statuses(run.records)).toEqual(Array(40).fill("completed"));
    expect([...run.records.sentMs]).toEqual(rows.map(({ arrivalMs }) => arrivalMs));
    expect([...run.records.outputTokens]).toEqual(Array(40).fill(4));
    expect(engine.seen.map(({ json }) => (json!["prompt"] as number[]).length)).toEqual(Array(40).fill(32));
    expect(scheduleLagMs.p50).toBeGreaterThanOrEqual(0);
    expect(requestedRate).toBeCloseTo(1000 / 3, 3);
    expect(achievedRate).toBeGreaterThan(0);
    expect(run.gaps.length).toBeGreaterThan(0);
    expect(run.notes[0]).toBe("made for a test");
  });

  it("counts latency from when a request was due, not from when it could be sent", async () => {
    const workload = workloadOf([{ arrivalMs: 0 }, { arrivalMs: 5 }]);
    // Time stands still but while the first request is answered: it is 60 ms late when the second is sent.
    const clock = new SteppedClock();
    engine.script = (request, res) => {
      clock.advanceTo(65);
      return likeVllm(request, res);
    };
    const { run, scheduleLagMs } = await new Replayer(optionsFor(workload, { clock })).run();
    expect(scheduleLagMs.max).toBe(60);
    expect([...run.records.sentMs]).toEqual([0, 5]);
    expect([...run.records.firstTokenMs]).toEqual([65, 65]);
    expect(run.notes.join(" ")).toMatch(/fell behind its schedule/);
  });

  it("sends a session's later turn when the one before has ended", async () => {
    const workload = workloadOf([
      { arrivalMs: 0, session: 0 },
      { previous: 0, thinkMs: 10, session: 0 },
    ]);
    const { run } = await new Replayer(optionsFor(workload)).run();
    const { sentMs, lastTokenMs } = run.records;
    expect(sentMs[1]! - lastTokenMs[0]!).toBeGreaterThanOrEqual(10);
    expect(engine.seen.map(({ headers }) => headers["x-session-id"])).toEqual(["s0", "s0"]);
  });

  it("says what a reader cannot know: routes of another server, and that answers are not in later prompts", async () => {
    const workload = workloadOf([{ blocks: [0, 1], inputTokens: 10, outputTokens: 10 }]);
    const { run, meanDecisionUs } = await new Replayer(optionsFor(workload)).run();
    expect(meanDecisionUs).toBeNull();
    expect(run.notes.join(" ")).toMatch(/does not say how it routed.*made-up tokens/);
  });
});

describe("a closed-loop replay", () => {
  it("never has more requests open than it may", async () => {
    let most = 0;
    const waiting: (() => void)[] = [];
    // Three at a time are answered, some turns of the event loop after the third, so that a fourth would show.
    engine.script = (request, res) => {
      waiting.push(() => void likeVllm(request, res));
      most = Math.max(most, waiting.length);
      if (waiting.length < 3) return;
      setTimeout(() => {
        for (const answer of waiting.splice(0)) answer();
      }, 1);
    };
    const { run, requestedRate } = await new Replayer(
      optionsFor(workloadOf(Array(30).fill({}), { concurrency: 3 })),
    ).run();
    expect(statuses(run.records)).toEqual(Array(30).fill("completed"));
    expect(most).toBe(3);
    expect(requestedRate).toBeNull();
  });
});

describe("what a replay measures", () => {
  it("is the time of every token, and usage", async () => {
    engine.script = async (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      const events = [...eventsOf(true, 3)];
      for (const event of events) {
        const half = Math.floor(event.length / 2);
        res.write(event.slice(0, half));
        await new Promise((resolve) => setImmediate(resolve));
        res.write(event.slice(half));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const usage = { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } };
      res.end(`${sse({ choices: [], usage })}data: [DONE]\n\n`);
    };
    const body = { endpoint: "chat", promptForm: "text", model: "mock" } as const;
    const { run, areHitsKnown } = await new Replayer(
      optionsFor(workloadOf([{ outputTokens: 3 }]), { body }),
    ).run();
    const { records, gaps } = run;
    expect(engine.seen[0]!.url).toBe("/v1/chat/completions");
    expect([records.inputTokens[0], records.outputTokens[0], records.cachedTokens[0]]).toEqual([9, 3, 8]);
    expect(areHitsKnown).toBe(true);
    expect(gaps.length).toBe(2);
    expect(records.lastTokenMs[0]! - records.firstTokenMs[0]!).toBeCloseTo(
      gaps.firstMs[0]! + gaps.firstMs[1]!,
      9,
    );
  });

  it.each([
    [true, 5, "Tokens were counted by the ids that come with each event of a stream."],
    [
      false,
      1,
      "An event of a stream counts as one token, .* in 1 of 1 answers there are more tokens than events",
    ],
  ])("counts every token of an event, if it has their ids: %s", async (hasIds, gapCount, note) => {
    engine.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      for (const ids of [
        [1, 2, 3, 4],
        [5, 6],
      ]) {
        res.write(sse({ choices: [{ text: "words", token_ids: hasIds ? ids : null, finish_reason: null }] }));
      }
      res.end(`${sse({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 6 } })}data: [DONE]\n\n`);
    };
    const { run } = await new Replayer(optionsFor(workloadOf([{ outputTokens: 6 }]))).run();
    expect(run.records.outputTokens[0]).toBe(6);
    let gaps = 0;
    for (let i = 0; i < run.gaps.length; i++) gaps += run.gaps.steps[i]! * run.gaps.weight[i]!;
    expect(gaps).toBe(gapCount);
    expect(run.notes.join("\n")).toMatch(new RegExp(note));
  });

  it("tells failures apart", async () => {
    const failures = [
      (res: Parameters<typeof likeVllm>[1]) => sendJson(res, 503, "{}"),
      (res: Parameters<typeof likeVllm>[1]) => sendJson(res, 503, "{}"),
      (res: Parameters<typeof likeVllm>[1]) => void res.destroy(),
      (res: Parameters<typeof likeVllm>[1]) =>
        void res.end(`${[...eventsOf(false, 2)][0]!}data: {"error":{"message":"broke"}}\n\n`),
      (res: Parameters<typeof likeVllm>[1]) => void res.end("data: [DONE]\n\n"),
      () => undefined,
    ];
    let count = 0;
    engine.script = (_, res) => failures[count++]!(res);
    const rows = failures.map((_, i) => ({ arrivalMs: 10 * i }));
    const outcome = await new Replayer(optionsFor(workloadOf(rows), { timeoutMs: 500 })).run();
    expect(statuses(outcome.run.records)).toEqual(Array(6).fill("failed"));
    expect(Object.fromEntries(outcome.failures)).toEqual({
      "status 503": 2,
      UND_ERR_SOCKET: 1,
      "error in the stream: broke": 1,
      "an answer without a token": 1,
      timeout: 1,
    });
  });

  it("is not more than what the client waited for", async () => {
    engine.script = () => undefined;
    const { run } = await new Replayer(optionsFor(workloadOf([{ cancelAfterMs: 250 }]))).run();
    expect(statuses(run.records)).toEqual(["cancelled"]);
    await engine.seen[0]!.aborted;
  });

  it("leaves warm-up requests out, and their prompts are strange", async () => {
    const workload = workloadOf([{ blocks: [0], inputTokens: 16 }]);
    const { run } = await new Replayer(optionsFor(workload, { warmups: 5 })).run();
    expect(run.records.count).toBe(1);
    expect(engine.seen).toHaveLength(6);
    const prompts = engine.seen.map(({ json }) => String((json!["prompt"] as number[])[0]));
    expect(new Set(prompts).size).toBe(6);
  });

  it("fails at once when the server does not answer the warm-up", async () => {
    engine.script = (_, res) => sendJson(res, 404, "{}");
    await expect(new Replayer(optionsFor(workloadOf([{}]), { warmups: 1 })).run()).rejects.toThrow(
      /warm-up .*status 404/,
    );
  });

  it("is in the time of engines that run faster than the clock", async () => {
    // Ten minutes: with an unscaled clock the test would not end.
    const arrivalMs = 600_000;
    const workload = workloadOf([{ arrivalMs: 0 }, { arrivalMs }]);
    const { run } = await new Replayer(optionsFor(workload, { timeScale: 1e-4 })).run();
    expect(run.records.sentMs[1]).toBe(arrivalMs);
    expect(run.durationMs).toBeGreaterThan(arrivalMs);
  });

  it("tells workers and branches, where a pdbench proxy routes", async () => {
    const fleet = await startFleet({
      prefill: 1,
      decode: 2,
      router: { policy: "round_robin", decider: { kind: "threshold", routing_threshold: 10 } },
    });
    const rows = [{ inputTokens: 9 }, { inputTokens: 10 }, { inputTokens: 11 }];
    const { run, meanDecisionUs } = await new Replayer(
      optionsFor(workloadOf(rows, { concurrency: 1 }), { url: fleet.url }),
    ).run();
    expect(meanDecisionUs).toBeGreaterThan(0);
    expect(run.notes.join(" ")).not.toMatch(/does not say how it routed|made-up tokens/);
    expect([...run.records.path].map((path) => PATHS[path])).toEqual([
      "decode_only",
      "disaggregated",
      "disaggregated",
    ]);
    expect(run.branches).toEqual(["below_threshold", "at_or_above_threshold"]);
    expect(run.workers.map(({ role, requests }) => [role, requests])).toEqual([
      ["prefill", 2],
      ["decode", expect.any(Number)],
      ["decode", expect.any(Number)],
    ]);
    expect(run.workers.map(({ requests }) => requests).sort()).toEqual([1, 2, 2]);
    expect([...run.records.prefillWorker]).toEqual([-1, 0, 0]);
    expect(new Set(run.records.decodeWorker)).toEqual(new Set([1, 2]));
    const prefix = run.workers.map(({ id }) => id).slice(1);
    expect(prefix).toEqual([...prefix].sort());
  });
});

describe("a replay that is interrupted", () => {
  it("stops sending, cancels what is open and keeps what there is", async () => {
    const controller = new AbortController();
    // Two are open at a time: three are answered, the fourth and fifth never.
    engine.script = (request, res) => {
      if (engine.seen.length <= 3) return likeVllm(request, res);
      if (engine.seen.length === 5) controller.abort();
    };
    let last: ReplayProgress | null = null;
    const workload = workloadOf(Array(100).fill({}), { concurrency: 2 });
    const replayer = new Replayer(optionsFor(workload), (progress) => (last = progress));
    const { run, wasInterrupted, sent } = await replayer.run(controller.signal);
    expect(wasInterrupted).toBe(true);
    expect(sent).toBe(5);
    expect(last).toMatchObject({ total: 100, sent: 5, ended: 5, failed: 0 });
    expect(statuses(run.records).filter((status) => status === "completed")).toHaveLength(3);
    expect(run.notes.at(-1)).toMatch(/^Interrupted: \d+ of 100 requests were sent\.$/);
  });
});
