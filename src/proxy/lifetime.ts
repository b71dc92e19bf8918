import type { ServerResponse } from "node:http";
import type { ProxyClock } from "./clock.js";
import type { ProxyError } from "./error-body.js";

/** How a proxy leaves. */
export interface DrainSettings {
  /** How long requests are still taken once readiness is off, for load balancers to see it. */
  readonly delayMs: number;
  /** How long open requests may then take; what is open after it is cut. */
  readonly timeoutMs: number;
}

/** What a request gets that comes while the proxy waits for its last ones. */
export const LEAVING: ProxyError = {
  status: 503,
  type: "ServiceUnavailableError",
  message: "the proxy is about to end and takes no new requests",
};

/** Counts the requests that are open, and lets them finish before the proxy ends. */
export class Lifetime {
  private readonly timers: ProxyClock;
  private open = 0;
  private phase: "serving" | "leaving" | "closed_to_new" = "serving";
  private onIdle: (() => void) | null = null;

  constructor(timers: ProxyClock) {
    this.timers = timers;
  }

  /** False: load balancers should send their requests elsewhere. */
  get isReady(): boolean {
    return this.phase === "serving";
  }

  get takesNew(): boolean {
    return this.phase !== "closed_to_new";
  }

  get openRequests(): number {
    return this.open;
  }

  /** A request is open until its response is closed, whoever closes it. */
  track(res: ServerResponse): void {
    this.open++;
    res.once("close", () => {
      this.open--;
      if (this.open === 0) this.onIdle?.();
    });
  }

  /**
   * Takes readiness off, after a delay takes nothing new, and waits for what is open.
   *
   * @returns how many requests were open when the time was over; 0 = all have ended.
   */
  async drain({ delayMs, timeoutMs }: DrainSettings): Promise<number> {
    this.phase = "leaving";
    if (delayMs > 0) await new Promise<void>((resolve) => this.timers.after(delayMs, resolve));
    this.phase = "closed_to_new";
    if (this.open > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.timers.after(timeoutMs, resolve);
        this.onIdle = () => {
          cancel();
          resolve();
        };
      });
    }
    return this.open;
  }
}
