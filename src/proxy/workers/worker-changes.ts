import { InputError } from "../../errors.js";
import type { Leg } from "../../routing/types.js";
import type { ProxyClock } from "../clock.js";
import type { Dialect } from "../dialects/dialect.js";
import type { TargetRules } from "../door/target-rules.js";
import type { WorkerUrl } from "../worker-url.js";
import type { WorkerPools } from "./worker-pools.js";
import type { WorkerRoster } from "./worker-roster.js";

/** How often it is looked whether a new worker has answered. */
const LOOK_MS = 50;

/** Workers that come and go while the proxy runs. */
export class WorkerChanges {
  readonly roster: WorkerRoster;
  private readonly pools: WorkerPools;
  private readonly dialect: Dialect;
  private readonly timers: ProxyClock;
  private readonly targets: TargetRules;
  private readonly waits = new Set<() => void>();

  constructor(
    roster: WorkerRoster,
    pools: WorkerPools,
    dialect: Dialect,
    timers: ProxyClock,
    targets: TargetRules,
  ) {
    this.roster = roster;
    this.pools = pools;
    this.dialect = dialect;
    this.timers = timers;
    this.targets = targets;
    roster.observe({ onGone: (worker) => pools.release(worker) });
  }

  has(id: string): boolean {
    return this.roster.present().some((place) => this.roster.workers[place]!.id === id);
  }

  /**
   * Adds a worker, which gets requests once it has answered a health check.
   *
   * @returns its index
   * @throws InputError when it may not be one, is there already, the fleet is full, or the connector cannot take it.
   */
  add(url: WorkerUrl, leg: Leg): number {
    const barred = this.targets.refusal(url);
    if (barred !== null) throw new InputError(`${barred} (--allow-worker)`);
    const refusal = this.dialect.refusal?.(url, leg) ?? null;
    if (refusal !== null) throw new InputError(`worker ${url.id} cannot be added at run time: ${refusal}`);
    const worker = this.pools.worker(url, leg);
    try {
      return this.roster.add(worker);
    } catch (error) {
      this.pools.release(worker);
      throw error;
    }
  }

  /**
   * Lets a worker finish what it has, within `workerDrainMs`, and gives it nothing more.
   *
   * @returns false when there is no such worker.
   */
  remove(id: string): boolean {
    const index = this.roster.present().find((place) => this.roster.workers[place]!.id === id);
    if (index === undefined) return false;
    this.roster.remove(index);
    return true;
  }

  /**
   * Waits for the first answer of a worker that was added.
   *
   * @returns false when the start-up timeout went by, or the worker was removed, without one.
   */
  answered(index: number): Promise<boolean> {
    const { roster } = this;
    const worker = roster.workers[index]!;
    return this.within(roster.settings.health?.startupTimeoutMs ?? 0, () => {
      const isHere = roster.workers[index] === worker && !worker.left;
      return isHere && !roster.isHealthy(index) ? null : isHere;
    });
  }

  /**
   * Waits until any worker has answered a health check; without checks that is at once.
   *
   * @returns false when none has in time.
   */
  anyAnswered(timeoutMs: number): Promise<boolean> {
    const { roster } = this;
    return this.within(timeoutMs, () => {
      const isUp = (index: number) => roster.health(index) === "up";
      return roster.settings.health === null || roster.present().some(isUp) ? true : null;
    });
  }

  /** Looks until `outcome` is known; false when it is not in time, or nobody waits any longer. */
  private within(timeoutMs: number, outcome: () => boolean | null): Promise<boolean> {
    const { timers } = this;
    const untilMs = timers.nowMs() + timeoutMs;
    return new Promise((resolve) => {
      const finish = (isUp: boolean) => {
        cancel();
        this.waits.delete(stop);
        resolve(isUp);
      };
      const look = () => {
        const found = outcome();
        if (found !== null) finish(found);
        else if (timers.nowMs() >= untilMs) finish(false);
        else cancel = timers.after(LOOK_MS, look);
      };
      const stop = () => finish(false);
      let cancel = () => {};
      this.waits.add(stop);
      look();
    });
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const stop of this.waits) stop();
  }
}
