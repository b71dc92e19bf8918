import type { Dispatcher } from "undici";
import type { ProxyClock } from "../clock.js";
import type { ProxyWorker } from "../core.js";
import type { WorkerRoster } from "./worker-roster.js";

/** How often it is looked whether a check is due. */
const LOOK_MS = 100;
/** A timer that rings so late says that the proxy itself stood still, and nothing of the worker. */
const STALL_MS = 500;

/**
 * Checks the workers' health, each when it is due and all at a time, and lets time do its part for breakers: a proxy
 * that nobody sends to, because it is not ready, must become ready by itself.
 *
 * @param workerKey Key that workers want to see; null = none.
 * @returns what ends it
 */
export function startHealthChecks(
  roster: WorkerRoster,
  timers: ProxyClock,
  workerKey: string | null,
): () => void {
  return timers.every(LOOK_MS, () => {
    roster.refresh();
    const { health } = roster.settings;
    if (health === null) return;
    for (const index of roster.takeDue()) {
      const worker = roster.workers[index]!;
      check(worker, requestOf(worker, health.endpoint, workerKey), health.timeoutMs, timers, (isSuccess) => {
        roster.onCheck(index, worker, isSuccess);
      });
    }
  });
}

/** @param onResult Called once: whether the answer was 2xx and complete in time. */
function check(
  worker: ProxyWorker,
  request: Dispatcher.DispatchOptions,
  timeoutMs: number,
  timers: ProxyClock,
  onResult: (isSuccess: boolean) => void,
): void {
  let status = 0;
  let isOver = false;
  let controller: Dispatcher.DispatchController | null = null;
  const finish = (isSuccess: boolean) => {
    if (isOver) return;
    isOver = true;
    cancel();
    onResult(isSuccess);
  };
  let dueMs = timers.nowMs() + timeoutMs;
  const giveUp = () => {
    const nowMs = timers.nowMs();
    if (nowMs - dueMs > STALL_MS) {
      dueMs = nowMs + timeoutMs;
      cancel = timers.after(timeoutMs, giveUp);
      return;
    }
    finish(false);
    controller?.abort(new Error("no answer in time"));
  };
  let cancel = timers.after(timeoutMs, giveUp);
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      if (isOver) started.abort(new Error("no answer in time"));
    },
    onResponseStart: (_, code) => {
      status = code;
    },
    onResponseData: () => undefined,
    onResponseEnd: () => finish(status >= 200 && status < 300),
    onResponseError: () => finish(false),
  };
  worker.pool.dispatch(request, handler);
}

function requestOf(
  { basePath, probe }: ProxyWorker,
  endpoint: string,
  workerKey: string | null,
): Dispatcher.DispatchOptions {
  // A connection of its own: whether the worker takes new ones is part of the question.
  const reset = true;
  if (probe === null) return { path: basePath + endpoint, method: "GET", reset };
  const headers = {
    "content-type": probe.contentType,
    ...(workerKey !== null && { authorization: `Bearer ${workerKey}` }),
  };
  return { path: basePath + probe.path, method: "POST", headers, body: probe.body, reset };
}
