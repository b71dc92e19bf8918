import { InputError } from "../errors.js";

/** How re-timed arrivals are spaced. */
export const ARRIVAL_PROCESSES = ["poisson", "gamma", "constant"] as const;
export type ArrivalProcess = (typeof ARRIVAL_PROCESSES)[number];

/**
 * What becomes of a session's later turns: `linked` sends a turn when the one before has ended and the user has
 * thought, `independent` sends it at its own time, `auto` links where the trace tells think times.
 */
export const SESSION_MODES = ["auto", "linked", "independent"] as const;
export type SessionMode = (typeof SESSION_MODES)[number];

/** When the requests of a trace are sent. Everything may be left out: trace time, at its own speed. */
export interface ArrivalOptions {
  /** The first N requests only; null = all. */
  readonly requests?: number | null;
  /** Re-time arrivals to this many requests per second on average; null = trace time. */
  readonly rate?: number | null;
  /** Spacing of re-timed arrivals. */
  readonly arrival?: ArrivalProcess;
  /** Coefficient of variation of the gaps of `gamma` arrivals. */
  readonly cv?: number;
  /** Divides the time between arrivals. */
  readonly speedup?: number;
  /** Spread arrivals within the ticks of a trace whose times are coarser than its traffic. */
  readonly jitter?: boolean;
  /** Closed loop with this many open requests (or sessions, where turns are linked); 0 = open loop. */
  readonly concurrency?: number;
  readonly sessions?: SessionMode;
  /** Think time of linked turns, ms; null = the trace's, or where it has none the time between the turns. */
  readonly thinkMs?: number | null;
}

export type ArrivalSettings = Required<ArrivalOptions>;

/**
 * Fills in defaults and checks that the settings make sense, alone and together.
 *
 * @throws InputError naming the setting, its value and what was expected.
 */
export function checkArrivals(options: ArrivalOptions): ArrivalSettings {
  const settings: ArrivalSettings = {
    requests: options.requests ?? null,
    rate: options.rate ?? null,
    arrival: options.arrival ?? "poisson",
    cv: options.cv ?? 1,
    speedup: options.speedup ?? 1,
    jitter: options.jitter ?? true,
    concurrency: options.concurrency ?? 0,
    sessions: options.sessions ?? "auto",
    thinkMs: options.thinkMs ?? null,
  };
  const { requests, rate, cv, speedup, concurrency, thinkMs } = settings;
  if (requests !== null) expectWhole("requests", requests, 1);
  if (rate !== null) expectPositive("rate", rate);
  expectPositive("cv", cv);
  expectPositive("speedup", speedup);
  expectWhole("concurrency", concurrency, 0);
  if (thinkMs !== null && !(thinkMs >= 0 && thinkMs < Infinity))
    throw wrong("think_ms", thinkMs, "a number, 0 or more");
  expectTogether(settings);
  return settings;
}

function expectTogether({
  rate,
  arrival,
  cv,
  speedup,
  concurrency,
  sessions,
  thinkMs,
}: ArrivalSettings): void {
  const clash = (what: string, why: string): InputError => new InputError(`workload: ${what}: ${why}`);
  if (rate !== null && speedup !== 1) {
    throw clash(
      `rate ${rate} with speedup ${speedup}`,
      "a rate replaces the trace's times; give one of them",
    );
  }
  if (concurrency > 0 && rate !== null) {
    throw clash(
      `concurrency ${concurrency} with rate ${rate}`,
      "a closed loop has no rate; give one of them",
    );
  }
  if (concurrency > 0 && speedup !== 1) {
    throw clash(
      `concurrency ${concurrency} with speedup ${speedup}`,
      "a closed loop ignores trace times; give one",
    );
  }
  if (rate === null && arrival !== "poisson") {
    throw clash(`arrival ${arrival} without a rate`, "it spaces re-timed arrivals; give a rate as well");
  }
  if (cv !== 1 && (arrival !== "gamma" || rate === null)) {
    throw clash(
      `cv ${cv} with ${rate === null ? "trace times" : `${arrival} arrivals`}`,
      "it belongs to gamma arrivals",
    );
  }
  if (thinkMs !== null && sessions === "independent") {
    throw clash(`think_ms ${thinkMs} with independent sessions`, "only linked turns have a think time");
  }
}

function expectPositive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) throw wrong(name, value, "a number above 0");
}

function expectWhole(name: string, value: number, minimum: number): void {
  if (!(Number.isSafeInteger(value) && value >= minimum))
    throw wrong(name, value, `a whole number of at least ${minimum}`);
}

function wrong(name: string, value: number, expected: string): InputError {
  return new InputError(`workload: ${name}: got ${value}, expected ${expected}`);
}
