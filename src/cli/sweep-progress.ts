import { formatDuration } from "../report/format.js";
import { secondsLeft, type SweepProgress } from "../sweep/run-sweep.js";
import { progressBar } from "./progress-bar.js";

/** Progress of a sweep, or of one stage of a search. */
type Progress = SweepProgress & { readonly stage?: string };

/** Where a sweep tells how far it is. */
export interface ProgressDisplay {
  update(progress: Progress): void;
  stop(): void;
}

const SECONDS_BETWEEN_LINES = 10;

/** A bar on a terminal; elsewhere a line now and then. Both go to stderr and end with the time that is left. */
export function progressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? barDisplay(stream) : lineDisplay(stream);
}

function barDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  const startedMs = performance.now();
  const bar = progressBar(stream);
  return {
    update: (progress) => bar.update(progress.done, progress.total, partsOf(progress, startedMs)),
    stop: () => bar.stop(),
  };
}

function lineDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  const startedMs = performance.now();
  let lastMs = -Infinity;
  return {
    update(progress) {
      const nowMs = performance.now();
      const isLast = progress.done === progress.total;
      if (!isLast && nowMs - lastMs < SECONDS_BETWEEN_LINES * 1000) return;
      lastMs = nowMs;
      stream.write(`${partsOf(progress, startedMs).join("  ")}\n`);
    },
    stop: () => undefined,
  };
}

/** What there is to say, the most important first. */
function partsOf(progress: Progress, startedMs: number): readonly string[] {
  const { stage, done, total, failed } = progress;
  const runs = `${stage === undefined ? "" : `${stage}: `}${done}/${total} runs`;
  const failures = failed > 0 ? `${failed} failed` : "";
  return [runs, leftOf(progress, startedMs), failures, workersOf(progress)].filter((part) => part !== "");
}

/** The time that the remaining runs take at the pace of this call. */
function leftOf(progress: SweepProgress, startedMs: number): string {
  const { done, earlier, total } = progress;
  const elapsedS = (performance.now() - startedMs) / 1000;
  if (done === total) return `done in ${formatDuration(elapsedS)}`;
  const leftS = secondsLeft(progress, elapsedS);
  if (leftS === null) return earlier > 0 ? `going on after ${earlier} earlier runs` : "starting";
  return `ETA ${formatDuration(leftS)}`;
}

/** How many processes take part, where that can change. */
function workersOf({ workers }: SweepProgress): string {
  if (workers === undefined) return "";
  if (workers === 0) return "no workers: start `pdbench worker`";
  return workers === 1 ? "on 1 worker" : `on ${workers} workers`;
}
