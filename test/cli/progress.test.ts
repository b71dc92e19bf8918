import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { progressLine } from "../../src/cli/progress-bar.js";
import { replayDisplay } from "../../src/cli/replay-progress.js";
import { simulationDisplay } from "../../src/cli/simulate-progress.js";
import { progressDisplay } from "../../src/cli/sweep-progress.js";

/** What moves or hides the cursor, saves its place, or clears a line. */
const CURSOR = new RegExp(`${String.fromCharCode(27)}(?:\\[[0-9?]*[A-Za-z]|[78])`);

/** A terminal of 80 columns that keeps what is written to it. */
function terminal(): { stream: NodeJS.WriteStream; lines: () => string[] } {
  const stream = new PassThrough();
  const text = () => (stream.read() as Buffer | null)?.toString() ?? "";
  const asTerminal = Object.assign(stream, { isTTY: true, columns: 80, rows: 24 });
  return {
    stream: asTerminal as unknown as NodeJS.WriteStream,
    // Between two movements of the cursor there is a line.
    lines: () =>
      text()
        .split(CURSOR)
        .filter((line) => line.trim() !== ""),
  };
}

const latencies = { p50: 12345.6, p99: 98765.4 };
const REPLAY = {
  total: 123456,
  sent: 65432,
  ended: 54321,
  failed: 321,
  ttftMs: latencies,
  itlMs: latencies,
  lagP99Ms: 12.3,
};

describe("a progress line", () => {
  it("fits any terminal, and leaves out the least important first", () => {
    const part = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme-ascii" });
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(100),
        (parts, width, done) => {
          const line = progressLine(done, 100, parts, width);
          expect(line.length).toBeLessThan(width);
          const behind = line.replace(/^[█░]* /, "");
          expect(
            parts.some((_, i) => parts.slice(0, i).join("  ") === behind) || behind === parts.join("  "),
          ).toBe(true);
        },
      ),
    );
    const parts = ["40/200", "12 open", "3 failed"];
    expect(progressLine(40, 200, parts, 60)).toBe(
      `${"█".repeat(6)}${"░".repeat(24)} 40/200  12 open  3 failed`,
    );
    expect(progressLine(40, 200, parts, 30)).toMatch(/^█+░+ 40\/200 {2}12 open$/);
    expect(progressLine(40, 200, parts, 18)).toMatch(/^█+░+ 40\/200$/);
  });

  it("of sweeps and replays is one line of 80 columns, with what matters most", () => {
    for (const write of [
      (stream: NodeJS.WriteStream) => {
        const display = progressDisplay(stream);
        display.update({
          stage: "round 2 of 4",
          done: 12345,
          total: 99999,
          earlier: 0,
          failed: 1234,
          workers: 0,
        });
        display.stop();
      },
      (stream: NodeJS.WriteStream) => {
        const display = replayDisplay(stream);
        display.update(REPLAY);
        display.stop();
      },
    ]) {
      const { stream, lines } = terminal();
      write(stream);
      const written = lines();
      expect(written.length).toBeGreaterThan(0);
      expect(Math.max(...written.map((line) => line.length))).toBeLessThan(80);
      expect(written[0]).toMatch(/12345\/99999 runs|54321\/123456 {2}11111 open {2}321 failed/);
    }
  });
});

describe("progress of a simulation", () => {
  it("is silent where stderr is no terminal", () => {
    expect(simulationDisplay(new PassThrough() as unknown as NodeJS.WriteStream, 100)).toBeNull();
  });

  it("shows nothing of a run that ends at once", () => {
    const { stream, lines } = terminal();
    const display = simulationDisplay(stream, 1000)!;
    display.onProgress(256);
    display.stop();
    expect(lines()).toEqual([]);
  });

  it("shows how far a longer run is", () => {
    const { stream, lines } = terminal();
    const display = simulationDisplay(stream, 1000, 0)!;
    display.onProgress(256);
    display.stop();
    expect(lines()[0]).toMatch(/^█+░+ 256\/1,000 requests {2}ETA .* {2}[\d,]+ requests\/s$/);
  });
});
