import { InputError } from "../../errors.js";
import type { Router } from "../../routing/router.js";
import type { Leg, WorkerSpec } from "../../routing/types.js";
import type { Random } from "../../values/random.js";
import type { ProxyWorker } from "../core.js";
import type { ProxyResilience } from "../resilience.js";
import { CircuitBreaker, type BreakerState, type Verdict } from "./circuit-breaker.js";
import { HealthRecord, type HealthState } from "./health-record.js";
import { isHeldBack } from "./slow-start.js";

/** A leg that a worker has been chosen for; to be given back once when the leg has ended. */
export interface LegTicket {
  readonly worker: number;
  readonly breakerPeriod: number;
}

/** Who wants to know what becomes of workers. */
export interface RosterObserver {
  onBreaker?(worker: ProxyWorker, from: BreakerState, to: BreakerState): void;
  onVerdict?(worker: ProxyWorker, verdict: Verdict): void;
  /** Nothing is open any more on a worker that has been removed. */
  onGone?(worker: ProxyWorker): void;
}

/** The time of the router and that of the world, which differ in pace. */
export interface RosterClock {
  routerMs(): number;
  wallMs(): number;
}

interface Standing {
  readonly health: HealthRecord;
  readonly breaker: CircuitBreaker;
  /** When the worker was taken in, or back; -Infinity = it has its full share. */
  startedMs: number;
  /** What the router has been told. */
  isCandidate: boolean;
  /** Tickets that have not come back. */
  openLegs: number;
}

/**
 * The workers of a proxy, by their index in the routing core, and which of them take requests: those that
 * are healthy, whose breaker is not open, that are not warming up beyond their share and not leaving. The
 * router hears of every change, and of nothing else. No timer and no socket is in here.
 */
export class WorkerRoster {
  /** By index; a worker that has left keeps its place until another one takes it. */
  readonly workers: readonly ProxyWorker[];
  settings: ProxyResilience;
  private readonly list: ProxyWorker[] = [];
  private readonly standings: Standing[] = [];
  private readonly router: Router;
  private readonly clock: RosterClock;
  private readonly random: Random;
  private readonly observers: RosterObserver[] = [];
  private byModel = false;

  /** @param workers Those that `router` was made with. */
  constructor(
    router: Router,
    workers: readonly ProxyWorker[],
    settings: ProxyResilience,
    clock: RosterClock,
    random: Random,
  ) {
    this.workers = this.list;
    this.router = router;
    this.settings = settings;
    this.clock = clock;
    this.random = random;
    for (const worker of workers) {
      this.list.push(worker);
      this.standings.push(newStanding("assumed"));
      this.byModel = worker.model !== null;
    }
  }

  /** Whether workers name their models: all do, or none. */
  get isByModel(): boolean {
    return this.byModel;
  }

  observe(observer: RosterObserver): void {
    this.observers.push(observer);
  }

  /** Indices of the workers that have not been removed. */
  present(leg: Leg | null = null): number[] {
    return this.indices(({ left, leg: own }) => !left && (leg === null || own === leg));
  }

  /** Indices of the removed workers that still have something open. */
  draining(): number[] {
    return this.indices(({ left }, index) => left && this.standings[index]!.openLegs > 0);
  }

  /**
   * Indices of the workers that take requests.
   *
   * @param model Of a request: where workers name theirs, those that serve it. Null = of any.
   */
  available(leg: Leg, model: string | null = null): number[] {
    return this.present(leg).filter((index) => {
      const own = this.list[index]!.model;
      return (model === null || own === null || own === model) && this.takesRequests(index);
    });
  }

  /** Healthy and not cut off by its breaker; it may be warming up, or have its one probe under way. */
  takesRequests(index: number): boolean {
    const { breaker } = this.standings[index]!;
    return this.isHealthy(index) && breaker.state !== "open";
  }

  isHealthy(index: number): boolean {
    return this.health(index) !== "down";
  }

  health(index: number): HealthState {
    return this.settings.health === null ? "assumed" : this.standings[index]!.health.state;
  }

  breaker(index: number): BreakerState {
    return this.standings[index]!.breaker.state;
  }

  /** `load` is what policies see, `open_legs` the truth. */
  loadOf(index: number): { readonly load: number; readonly open_legs: number } {
    return { load: this.router.load.open(index), open_legs: this.router.bookedLegs(index) };
  }

  /** Lets time do its part; to be called before every decision. */
  refresh(): void {
    const { breaker: settings, slowStartMs } = this.settings;
    const wallMs = this.clock.wallMs();
    this.standings.forEach(({ breaker, startedMs }, index) => {
      if (breaker.state === "open" && settings !== null) {
        if (breaker.refresh(settings, wallMs)) this.breakerChanged(index, "open");
      }
      if (startedMs === -Infinity) return;
      if (wallMs - startedMs >= slowStartMs) this.standings[index]!.startedMs = -Infinity;
      this.update(index);
    });
  }

  /** A leg is in the book of a worker. */
  onLeg(worker: number): LegTicket {
    const standing = this.standings[worker]!;
    standing.openLegs++;
    const breakerPeriod = standing.breaker.onLeg();
    this.update(worker);
    return { worker, breakerPeriod };
  }

  /** That leg has left the book. */
  onLegEnd({ worker, breakerPeriod }: LegTicket, verdict: Verdict): void {
    const standing = this.standings[worker]!;
    const { state } = standing.breaker;
    const { breaker: settings } = this.settings;
    standing.openLegs--;
    for (const observer of this.observers) observer.onVerdict?.(this.list[worker]!, verdict);
    if (settings !== null) {
      const wallMs = this.clock.wallMs();
      const changed = standing.breaker.onLegEnd(breakerPeriod, verdict, settings, wallMs);
      if (changed) {
        if (standing.breaker.state === "closed") this.beginSlowStart(standing);
        this.breakerChanged(worker, state);
      }
    }
    this.update(worker);
    this.tellIfGone(worker);
  }

  /** No connection to a worker could be made. */
  onConnectFailure(worker: number): void {
    const { health } = this.settings;
    if (health === null || this.list[worker]!.left) return;
    this.standings[worker]!.health.onConnectFailure(health, this.clock.wallMs());
    this.update(worker);
  }

  /** Workers whose health is to be checked now; each check has to be followed by `onCheck`. */
  takeDue(): number[] {
    const wallMs = this.clock.wallMs();
    const due = this.present().filter((index) => this.standings[index]!.health.isDue(wallMs));
    for (const index of due) this.standings[index]!.health.onCheck();
    return due;
  }

  /** A check has come to an end; that of a worker which has been removed meanwhile is of no interest. */
  onCheck(index: number, worker: ProxyWorker, isSuccess: boolean): void {
    const { health: settings } = this.settings;
    if (settings === null || this.list[index] !== worker || worker.left) return;
    const standing = this.standings[index]!;
    const before = standing.health.state;
    standing.health.onResult(isSuccess, settings, this.clock.wallMs(), this.random.nextFloat());
    if (before === "down" && this.isHealthy(index)) this.beginSlowStart(standing);
    this.update(index);
  }

  /**
   * Takes a worker in. With health checks it gets requests once it has answered one.
   *
   * @returns its index
   * @throws InputError when it is there already, the fleet is full, or it names a model and others do not.
   */
  add(worker: ProxyWorker): number {
    if (this.present().some((index) => this.list[index]!.id === worker.id)) {
      throw new InputError(`worker ${worker.id} is there already`);
    }
    const index = this.router.addWorker(workerSpec(worker));
    this.byModel = worker.model !== null;
    const isChecked = this.settings.health !== null;
    this.list[index] = worker;
    this.standings[index] = newStanding(isChecked ? "down" : "assumed");
    if (!isChecked) this.beginSlowStart(this.standings[index]);
    this.update(index);
    return index;
  }

  /** The worker gets nothing more; what is open on it goes on to its end, or until `cutMs`. */
  remove(index: number): void {
    const worker = this.list[index]!;
    worker.left = true;
    worker.cutMs = this.clock.wallMs() + (this.settings.workerDrainMs ?? Infinity);
    this.router.removeWorker(index);
    this.tellIfGone(index);
  }

  private tellIfGone(index: number): void {
    const worker = this.list[index]!;
    if (!worker.left || this.standings[index]!.openLegs > 0) return;
    for (const observer of this.observers) observer.onGone?.(worker);
  }

  private indices(wanted: (worker: ProxyWorker, index: number) => boolean): number[] {
    return this.list.flatMap((worker, index) => (wanted(worker, index) ? [index] : []));
  }

  private breakerChanged(index: number, from: BreakerState): void {
    const to = this.standings[index]!.breaker.state;
    for (const observer of this.observers) observer.onBreaker?.(this.list[index]!, from, to);
    this.update(index);
  }

  private beginSlowStart(standing: Standing): void {
    if (this.settings.slowStartMs > 0) standing.startedMs = this.clock.wallMs();
  }

  /** Tells the router when a worker has become, or is no longer, a candidate. */
  private update(index: number): void {
    const standing = this.standings[index]!;
    if (this.list[index]!.left) return;
    const isCandidate =
      this.isHealthy(index) &&
      (this.settings.breaker === null || standing.breaker.admits) &&
      !this.isHeldBack(index, standing.startedMs);
    if (isCandidate === standing.isCandidate) return;
    standing.isCandidate = isCandidate;
    this.router.setHealthy(index, isCandidate, this.clock.routerMs());
  }

  private isHeldBack(index: number, startedMs: number): boolean {
    if (startedMs === -Infinity) return false;
    const { leg, model } = this.list[index]!;
    const others = this.available(leg, model).filter(
      (other) => other !== index && this.standings[other]!.startedMs === -Infinity,
    );
    const open = (worker: number) => this.standings[worker]!.openLegs;
    const sinceMs = this.clock.wallMs() - startedMs;
    return isHeldBack(open(index), others.map(open), sinceMs, this.settings.slowStartMs);
  }
}

/** A worker as the routing core knows it. */
export function workerSpec({ id, leg, model }: ProxyWorker): WorkerSpec {
  return model === null ? { id, leg } : { id, leg, model };
}

function newStanding(state: "assumed" | "down"): Standing {
  const [health, breaker] = [new HealthRecord(state), new CircuitBreaker()];
  return { health, breaker, startedMs: -Infinity, isCandidate: true, openLegs: 0 };
}
