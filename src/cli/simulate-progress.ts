import { formatCount, formatDuration } from "../report/format.js";
import { progressBar } from "./progress-bar.js";

/** Where a simulation tells how far it is. */
export interface SimulationDisplay {
  readonly onProgress: (ended: number) => void;
  stop(): void;
}

/** A run that ends sooner needs no bar. */
const SECONDS_UNTIL_SHOWN = 1;

/** A bar for runs that take their time, on a terminal; elsewhere nothing, and nothing to call. */
export function simulationDisplay(
  stream: NodeJS.WriteStream,
  total: number,
  secondsUntilShown = SECONDS_UNTIL_SHOWN,
): SimulationDisplay | null {
  if (!stream.isTTY) return null;
  const startedMs = performance.now();
  const bar = progressBar(stream);
  let isShown = false;
  return {
    onProgress: (ended) => {
      const elapsedS = (performance.now() - startedMs) / 1000;
      if (elapsedS < secondsUntilShown) return;
      isShown = true;
      const leftS = (elapsedS / ended) * (total - ended);
      const rate = `${formatCount(Math.round(ended / elapsedS))} requests/s`;
      bar.update(ended, total, [
        `${formatCount(ended)}/${formatCount(total)} requests`,
        `ETA ${formatDuration(leftS)}`,
        rate,
      ]);
    },
    stop: () => {
      if (isShown) bar.stop();
    },
  };
}
