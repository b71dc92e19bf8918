import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cpuMs } from "../support/cpu-time.js";

const PDBENCH = fileURLToPath(new URL("../../bin/pdbench.js", import.meta.url));
const OUTPUT_BYTES_MAX = 1 << 26;

/** Runs a command of pdbench to its end and returns what it printed. */
export async function pdbench(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [PDBENCH, ...args], {
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return stdout;
}

/** A command of pdbench that goes on until it is told to end. */
export class Server {
  private readonly child: ChildProcess;
  private readonly startMs = performance.now();

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  /**
   * Starts a command and resolves when it has said that it is ready.
   *
   * @throws Error with what it said when it ends before
   */
  static async start(args: readonly string[], ready: RegExp): Promise<Server> {
    const child = spawn(process.execPath, [PDBENCH, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    await new Promise<void>((resolve, reject) => {
      let said = "";
      const hear = (chunk: Buffer) => {
        said += chunk.toString();
        if (ready.test(said)) resolve();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("exit", () => reject(new Error(`pdbench ${args.join(" ")} ended: ${said}`)));
    });
    return new Server(child);
  }

  /** Share of one core used since the start. */
  cpuShare(): number {
    return cpuMs(this.child.pid!) / (performance.now() - this.startMs);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await exited;
  }
}
