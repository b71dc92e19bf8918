import { SingleBar } from "cli-progress";
import { formatDuration } from "../report/format.js";
import { secondsLeft, type SweepProgress } from "../sweep/run-sweep.js";

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
  const bar = new SingleBar({
    stream,
    format: "{stage}{bar} {value}/{total} runs  {left}{workers}{failures}",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
  });
  let isStarted = false;
  return {
    update(progress) {
      const payload = {
        stage: stageOf(progress),
        left: leftOf(progress, startedMs),
        workers: workersOf(progress),
        failures: failuresOf(progress),
      };
      if (isStarted) {
        bar.setTotal(progress.total);
        bar.update(progress.done, payload);
      } else bar.start(progress.total, progress.done, payload);
      isStarted = true;
    },
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
      const { done, total } = progress;
      const left = leftOf(progress, startedMs);
      stream.write(
        `${stageOf(progress)}${done}/${total} runs  ${left}${workersOf(progress)}${failuresOf(progress)}\n`,
      );
    },
    stop: () => undefined,
  };
}

function stageOf({ stage }: Progress): string {
  return stage === undefined ? "" : `${stage}: `;
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
  if (workers === 0) return "  no workers: start `pdbench worker`";
  return workers === 1 ? "  on 1 worker" : `  on ${workers} workers`;
}

function failuresOf({ failed }: SweepProgress): string {
  return failed > 0 ? `  ${failed} failed` : "";
}
