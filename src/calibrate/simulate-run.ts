import { createEngine } from "../engine/engine.js";
import type { EngineProfile } from "../engine/profile.js";
import type { EngineConfig, EngineListener, LegRequest, StepTimeModel } from "../engine/types.js";
import type { BlockSpan } from "../values/block-span.js";
import type { MeasuredRequests, TimelineSample } from "./measured-run.js";

/** The requests to put to the engine; columns in order of arrival. */
export interface RunWorkload {
  readonly count: number;
  readonly arrivalMs: Float64Array;
  readonly inputTokens: Int32Array;
  readonly outputTokens: Int32Array;
  content(row: number): BlockSpan;
}

/** What the model predicts of a run. */
export interface SimulatedRun {
  readonly requests: MeasuredRequests;
  readonly timeline: readonly TimelineSample[];
  readonly preemptions: number;
  readonly steps: number;
  /** Prompt tokens found in the prefix cache at first admission. */
  readonly hitTokens: number;
}

/** The engine to run it on. */
export interface SimulatedEngine {
  readonly config: EngineConfig;
  readonly stepTime: StepTimeModel;
  readonly overheads: EngineProfile["overheads"];
  readonly time: "fast" | "plain";
  /** Told the time whenever the engine is about to move on; its step-time model is asked only then. */
  readonly onTime?: (nowMs: number) => void;
}

const SAMPLE_MS = 1000;

/**
 * Runs a workload through one engine in virtual time.
 *
 * @param startsAt where TTFT and E2E begin. vLLM takes new requests from its queue only between steps, so
 *   `queue` means the step boundary after the arrival; `client` means the arrival, and adds what the profile
 *   says of the way to the engine and back.
 */
export function simulateRun(
  workload: RunWorkload,
  engineSettings: SimulatedEngine,
  startsAt: "queue" | "client",
): SimulatedRun {
  const { count, arrivalMs } = workload;
  const { http_ms, schedule_ms, first_token_ms } = engineSettings.overheads;
  const responseMs = startsAt === "client" ? first_token_ms : 0;
  const column = (): Float64Array => new Float64Array(count).fill(NaN);
  const queuedMs = column();
  const scheduledMs = column();
  const firstTokenMs = column();
  const lastTokenMs = column();
  let preemptions = 0;
  const listener: EngineListener = {
    onScheduled: (id, atMs) => (scheduledMs[id] = atMs),
    onKvReadStart: () => undefined,
    onFirstToken: (id, atMs) => (firstTokenMs[id] = atMs + responseMs),
    onPreempted: () => preemptions++,
    onFinished: (id, atMs) => (lastTokenMs[id] = atMs + responseMs),
    onTokenGaps: () => undefined,
  };
  const engine = createEngine(engineSettings.config, engineSettings.stepTime, listener, engineSettings.time);
  const timeline: TimelineSample[] = [];
  let next = 0;
  let sampleMs = SAMPLE_MS;
  for (;;) {
    const submitMs = next < count ? arrivalMs[next]! + http_ms + schedule_ms : Infinity;
    const eventMs = engine.nextEventMs();
    const nowMs = Math.min(submitMs, eventMs);
    if (nowMs === Infinity) break;
    for (; sampleMs < nowMs; sampleMs += SAMPLE_MS)
      timeline.push({ atMs: sampleMs, ...engine.gauges(sampleMs) });
    if (submitMs <= eventMs) {
      engine.submit(requestOf(workload, next), submitMs);
      queuedMs[next] = Math.max(submitMs, engine.nextEventMs()) - schedule_ms;
      next++;
    } else {
      engineSettings.onTime?.(eventMs);
      engine.advance(eventMs);
    }
  }
  const startMs = startsAt === "queue" ? queuedMs : arrivalMs;
  const { inputTokens, outputTokens } = workload;
  return {
    requests: {
      count,
      inputTokens,
      outputTokens,
      arrivalMs,
      queuedMs,
      scheduledMs,
      firstTokenMs,
      lastTokenMs,
      ttftMs: firstTokenMs.map((ms, i) => ms - startMs[i]!),
      tpotMs: lastTokenMs.map((ms, i) =>
        outputTokens[i]! < 2 ? NaN : (ms - firstTokenMs[i]!) / (outputTokens[i]! - 1),
      ),
      e2eMs: lastTokenMs.map((ms, i) => ms - startMs[i]!),
    },
    timeline,
    preemptions,
    steps: engine.totals().steps,
    hitTokens: engine.totals().hitTokens,
  };
}

function requestOf(workload: RunWorkload, row: number): LegRequest {
  return {
    id: row,
    promptTokens: workload.inputTokens[row]!,
    outputTokens: workload.outputTokens[row]!,
    content: workload.content(row),
    priority: 0,
    kvRole: "local",
  };
}
