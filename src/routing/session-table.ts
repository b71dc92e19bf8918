import { ChangeLog } from "./change-log.js";

const SWEEP_MS = 60_000;

/** Which worker each session is on; a session that is not seen for its lifetime is forgotten. */
export class SessionTable {
  /** Changes of `count`. */
  readonly changes: ChangeLog;
  private readonly sessions = new Map<string, { worker: number; seenMs: number }>();
  private readonly resident: Int32Array;
  private readonly lifetimeMs: number;
  private nextSweepMs = SWEEP_MS;

  constructor(fleetSize: number, lifetimeMs: number) {
    this.resident = new Int32Array(fleetSize);
    this.changes = new ChangeLog(fleetSize);
    this.lifetimeMs = lifetimeMs;
  }

  /** The session's worker, or -1. */
  workerOf(key: string | null, nowMs: number): number {
    const session = key === null ? undefined : this.sessions.get(key);
    return session === undefined || nowMs - session.seenMs > this.lifetimeMs ? -1 : session.worker;
  }

  /** Sessions on a worker. */
  count(worker: number): number {
    return this.resident[worker]!;
  }

  /** The session is on `worker` from now on. */
  bind(key: string, worker: number, nowMs: number): void {
    this.sweep(nowMs);
    this.unbind(key);
    this.sessions.set(key, { worker, seenMs: nowMs });
    this.resident[worker]!++;
    this.changes.add(worker);
  }

  removeWorker(worker: number): void {
    for (const [key, session] of this.sessions) if (session.worker === worker) this.unbind(key);
  }

  private unbind(key: string): void {
    const session = this.sessions.get(key);
    if (session === undefined) return;
    this.sessions.delete(key);
    this.resident[session.worker]!--;
    this.changes.add(session.worker);
  }

  private sweep(nowMs: number): void {
    if (nowMs < this.nextSweepMs) return;
    this.nextSweepMs = nowMs + SWEEP_MS;
    for (const [key, { seenMs }] of this.sessions) if (nowMs - seenMs > this.lifetimeMs) this.unbind(key);
  }
}
