import type { ReplayProgress } from "../replay/replayer.js";
import { formatNumber } from "../report/format.js";
import { progressBar } from "./progress-bar.js";

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
  const bar = progressBar(stream);
  return {
    update: (progress) => bar.update(progress.ended, progress.total, partsOf(progress)),
    stop: () => bar.stop(),
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
      stream.write(`${partsOf(progress).join("  ")}\n`);
    },
    stop: () => undefined,
  };
}

/** `40/200`, `12 open`, `3 failed`, `TTFT p50 210 p99 900 ms`, ...: the most important first. */
function partsOf({ sent, ended, total, failed, ttftMs, itlMs, lagP99Ms }: ReplayProgress): readonly string[] {
  const ends = ({ p50, p99 }: ReplayProgress["ttftMs"]) =>
    `p50 ${formatNumber(p50)} p99 ${formatNumber(p99)} ms`;
  return [
    `${ended}/${total}`,
    `${sent - ended} open`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    `TTFT ${ends(ttftMs)}`,
    `ITL ${ends(itlMs)}`,
    `late p99 ${formatNumber(lagP99Ms)} ms`,
  ];
}
