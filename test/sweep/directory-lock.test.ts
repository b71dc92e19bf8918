import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { holdingDirectory } from "../../src/sweep/directory-lock.js";
import { withFolder } from "./sweep-bench.js";

const LOCK = "in-use.lock";

function lockOf(directory: string, pid: number, host = hostname()): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, LOCK), JSON.stringify({ pid, host }));
}

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid!;
}

describe("a folder that a command works on", () => {
  it("is made, and removed where nothing was put into it", () =>
    withFolder(async (directory) => {
      await holdingDirectory(directory, () => {
        expect(readdirSync(directory)).toEqual([LOCK]);
        return Promise.resolve();
      });
      expect(existsSync(directory)).toBe(false);
    }));

  it("keeps what was put into it, also when the work fails", () =>
    withFolder(async (directory) => {
      const work = holdingDirectory(directory, () => {
        writeFileSync(join(directory, "points.jsonl"), "");
        return Promise.reject(new Error("disk full"));
      });
      await expect(work).rejects.toThrow("disk full");
      expect(readdirSync(directory)).toEqual(["points.jsonl"]);
    }));

  it("is refused to a second process while the first one lives", () =>
    withFolder(async (directory) => {
      lockOf(directory, process.ppid);
      await expect(holdingDirectory(directory, () => Promise.resolve())).rejects.toThrow(
        `--out ${directory}: process ${process.ppid} on ${hostname()} is writing there, expected a folder`,
      );
      expect(readdirSync(directory)).toEqual([LOCK]);
    }));

  it.each([
    ["a process of this host that has ended", deadPid, hostname(), 0],
    ["this very process id: another container's before it was restarted", () => process.pid, hostname(), 0],
    ["another host, silent for more than a minute", () => 1, "elsewhere", 61],
  ])("is taken over from %s", (_, pid, host, silentS) =>
    withFolder(async (directory) => {
      lockOf(directory, await pid(), host);
      const lastS = Date.now() / 1000 - silentS;
      utimesSync(join(directory, LOCK), lastS, lastS);
      await holdingDirectory(directory, () => Promise.resolve());
      expect(readdirSync(directory)).toEqual([]);
    }),
  );

  it("is not taken over from another host that was heard of lately", () =>
    withFolder(async (directory) => {
      lockOf(directory, 1, "elsewhere");
      await expect(holdingDirectory(directory, () => Promise.resolve())).rejects.toThrow(
        "process 1 on elsewhere",
      );
    }));
});
