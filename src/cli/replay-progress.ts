import { SingleBar } from "cli-progress";
import type { ReplayProgress } from "../replay/replayer.js";
import { formatNumber } from "../report/format.js";

/** Where a replay tells how far it is. */
export interface ReplayDisplay {
  update(progress: ReplayProgress): void;
  stop(): void;
}

const SECONDS_BETWEEN_LINES = 10;

/** A bar with live percentiles on a terminal; elsewhere a line now and then. Both go to stderr. */
export function replayDisplay(stream: NodeJS.WriteStream): ReplayDisplay {
  return stream.isTTY ? barDisplay(stream) : lineDisplay(stream);
}

function barDisplay(stream: NodeJS.WriteStream): ReplayDisplay {
  const bar = new SingleBar({
    stream,
    format: "{bar} {value}/{total}  {state}",
    barsize: 20,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
  });
  let isStarted = false;
  return {
    update(progress) {
      const state = { state: stateOf(progress) };
      if (isStarted) bar.update(progress.ended, state);
      else bar.start(progress.total, progress.ended, state);
      isStarted = true;
    },
    stop: () => {
      bar.stop();
    },
  };
}

function lineDisplay(stream: NodeJS.WriteStream): ReplayDisplay {
  let lastMs = performance.now();
  return {
    update(progress) {
      const nowMs = performance.now();
      const isLast = progress.ended === progress.total;
      if (!isLast && nowMs - lastMs < SECONDS_BETWEEN_LINES * 1000) return;
      lastMs = nowMs;
      stream.write(`${progress.ended}/${progress.total} requests  ${stateOf(progress)}\n`);
    },
    stop: () => undefined,
  };
}

/** `12 open  TTFT p50 210 p99 900 ms  ITL p50 9.1 p99 30 ms  late p99 0.02 ms  3 failed` */
function stateOf({ sent, ended, failed, ttftMs, itlMs, lagP99Ms }: ReplayProgress): string {
  const ends = ({ p50, p99 }: ReplayProgress["ttftMs"]) =>
    `p50 ${formatNumber(p50)} p99 ${formatNumber(p99)} ms`;
  const failures = failed > 0 ? `  ${failed} failed` : "";
  return `${sent - ended} open  TTFT ${ends(ttftMs)}  ITL ${ends(itlMs)}  late p99 ${formatNumber(lagP99Ms)} ms${failures}`;
}
