import { SingleBar } from "cli-progress";

/** A bar on one line of a terminal. */
export interface ProgressBar {
  /** @param parts what stands behind the bar, the most important first: what has no room is left out */
  update(done: number, total: number, parts: readonly string[]): void;
  /** Takes the bar away. */
  stop(): void;
}

const BAR_AT_MOST = 30;
const BAR_AT_LEAST = 6;
const WIDTH_UNKNOWN = 80;
const GAP = "  ";

/** A bar that fits the terminal, whatever its width; for streams that are terminals. */
export function progressBar(stream: NodeJS.WriteStream): ProgressBar {
  const bar = new SingleBar({
    stream,
    format: (_, { value, total }, { parts }: { parts: readonly string[] }) =>
      progressLine(value, total, parts, stream.columns || WIDTH_UNKNOWN),
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
  });
  let isStarted = false;
  return {
    update(done, total, parts) {
      if (isStarted) {
        bar.setTotal(total);
        bar.update(done, { parts });
      } else bar.start(total, done, { parts });
      isStarted = true;
    },
    stop: () => bar.stop(),
  };
}

/** The line, one column shorter than the terminal, whose last column would make some of them wrap. */
export function progressLine(done: number, total: number, parts: readonly string[], width: number): string {
  const room = width - 1;
  const shown: string[] = [];
  for (const part of parts.filter((one) => one !== "")) {
    if ([...shown, part].join(GAP).length + 1 + BAR_AT_LEAST > room) break;
    shown.push(part);
  }
  const words = shown.join(GAP);
  const size = Math.max(0, Math.min(BAR_AT_MOST, room - words.length - 1));
  const filled = total === 0 ? size : Math.round((Math.min(done, total) / total) * size);
  return `${"█".repeat(filled)}${"░".repeat(size - filled)} ${words}`.slice(0, room);
}
