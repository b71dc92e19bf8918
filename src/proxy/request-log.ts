import { once } from "node:events";
import { openSync } from "node:fs";
import { pino, type DestinationStream, type Logger } from "pino";
import { InputError } from "../errors.js";
import type { ProxyWorker, RequestFacts, RequestObserver, RequestOutcome } from "./core.js";

/** One line of JSON for every request that was routed: no prompt, no session, no header but the request id. */
export class RequestLog implements RequestObserver {
  private readonly workers: readonly ProxyWorker[];
  private readonly logger: Logger;
  private readonly stream: ReturnType<typeof pino.destination>;

  /**
   * @param file Lines are added to it; `-` = standard output.
   * @throws InputError when the file cannot be written
   */
  constructor(file: string, workers: readonly ProxyWorker[]) {
    this.workers = workers;
    this.stream = pino.destination({ fd: file === "-" ? 1 : opened(file), sync: false });
    this.logger = pino(
      { base: null, timestamp: pino.stdTimeFunctions.isoTime },
      this.stream as DestinationStream,
    );
  }

  onEnd(facts: RequestFacts, outcome: RequestOutcome, status: number, nowMs: number): void {
    const { requestId, path, promptTokens, receivedMs, firstByteMs, decision } = facts;
    const { prefill, decode } = decision;
    const nameOf = (chosen: typeof prefill) => (chosen === null ? null : this.workers[chosen.worker]!.id);
    this.logger.info({
      request_id: requestId,
      route: path,
      status,
      outcome,
      path: decision.path,
      branch: decision.branch,
      prefill_worker: nameOf(prefill),
      prefill_branch: prefill?.branch ?? null,
      decode_worker: nameOf(decode),
      decode_branch: decode?.branch ?? null,
      prompt_tokens: promptTokens,
      ttft_ms: firstByteMs === null ? null : rounded(firstByteMs - receivedMs),
      duration_ms: rounded(nowMs - receivedMs),
    });
  }

  /** Resolves when every line is written. */
  async close(): Promise<void> {
    const finished = once(this.stream, "close");
    this.stream.end();
    await finished;
  }
}

function opened(file: string): number {
  try {
    return openSync(file, "a");
  } catch (error) {
    throw new InputError(`--request-log: cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
