import { didYouMean } from "../values/nearest-name.js";
import { RouterSettingError } from "./setting-error.js";

export type ParameterValue = number | boolean | string | null;

/**
 * One parameter of a policy, a decider or the router, as users name it. The scenario check, its JSON Schema
 * and the reference pages are made from these.
 */
export interface ParameterSpec<N extends string = string, T extends ParameterValue = ParameterValue> {
  readonly name: N;
  readonly type: "number" | "integer" | "boolean" | "string" | "enum";
  readonly default: T;
  /** Null is allowed as well and means what `summary` says. */
  readonly nullable: boolean;
  /** Inclusive bounds, unless `exclusiveMin`. */
  readonly min?: number;
  readonly exclusiveMin?: boolean;
  readonly max?: number;
  /** The valid values of an `enum`. */
  readonly values?: readonly string[];
  /** e.g. `tokens`, `ms`, `ratio`; empty where there is none. */
  readonly unit: string;
  readonly summary: string;
}

/** The values of a list of parameters, by name. */
export type Values<P extends readonly ParameterSpec[]> = {
  readonly [S in P[number] as S["name"]]: S extends ParameterSpec<string, infer T> ? T : never;
};

/** Values of parameters whose list is not known at compile time. */
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

interface Bounds {
  readonly min?: number;
  readonly exclusiveMin?: boolean;
  readonly max?: number;
  readonly unit?: string;
}

/** A parameter that takes any finite number within bounds. */
export function number<const N extends string>(
  name: N,
  initial: number,
  bounds: Bounds,
  summary: string,
): ParameterSpec<N, number> {
  return { name, type: "number", default: initial, nullable: false, unit: "", ...bounds, summary };
}

/** A whole number within bounds. */
export function integer<const N extends string>(
  name: N,
  initial: number,
  bounds: Bounds,
  summary: string,
): ParameterSpec<N, number> {
  return { name, type: "integer", default: initial, nullable: false, unit: "", ...bounds, summary };
}

/** A number, or null, which is also the default. */
export function optionalNumber<const N extends string>(
  name: N,
  bounds: Bounds,
  summary: string,
): ParameterSpec<N, number | null> {
  return { name, type: "number", default: null, nullable: true, unit: "", ...bounds, summary };
}

export function flag<const N extends string>(
  name: N,
  initial: boolean,
  summary: string,
): ParameterSpec<N, boolean> {
  return { name, type: "boolean", default: initial, nullable: false, unit: "", summary };
}

/** One of a list of words. */
export function choice<const N extends string, const V extends string>(
  name: N,
  initial: NoInfer<V>,
  values: readonly V[],
  summary: string,
): ParameterSpec<N, V> {
  return { name, type: "enum", default: initial, nullable: false, values, unit: "", summary };
}

/** One of a list of words, or null, which is also the default. */
export function optionalChoice<const N extends string, const V extends string>(
  name: N,
  values: readonly V[],
  summary: string,
): ParameterSpec<N, V | null> {
  return { name, type: "enum", default: null, nullable: true, values, unit: "", summary };
}

/**
 * Checks a value that a user gave for a parameter.
 *
 * @throws RouterSettingError naming `path`, the value and what was expected.
 */
export function parseParameter(spec: ParameterSpec, value: unknown, path: readonly string[]): ParameterValue {
  if (accepts(spec, value)) return value;
  const known = spec.type === "enum" && typeof value === "string" ? didYouMean(value, spec.values!) : "";
  throw new RouterSettingError(path, `${quote(value)} is not valid, expected ${expectation(spec)}${known}`);
}

/** Whether a value is valid for a parameter. */
export function accepts(spec: ParameterSpec, value: unknown): value is ParameterValue {
  if (value === null) return spec.nullable;
  switch (spec.type) {
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
    case "enum":
      return typeof value === "string" && spec.values!.includes(value);
    case "integer":
      return Number.isSafeInteger(value) && isWithin(spec, value as number);
    case "number":
      return typeof value === "number" && Number.isFinite(value) && isWithin(spec, value);
  }
}

function isWithin({ min, exclusiveMin, max }: ParameterSpec, value: number): boolean {
  if (min !== undefined && (exclusiveMin === true ? value <= min : value < min)) return false;
  return max === undefined || value <= max;
}

/** What a parameter takes, in words: `a number from 0 to 1`, `"a" or "b"`. */
export function expectation(spec: ParameterSpec): string {
  const orNull = spec.nullable ? ", or null" : "";
  if (spec.type === "boolean") return `true or false${orNull}`;
  if (spec.type === "enum") return `${spec.values!.map((value) => `"${value}"`).join(" or ")}${orNull}`;
  if (spec.type === "string") return `text${orNull}`;
  const kind = spec.type === "integer" ? "a whole number" : "a number";
  return `${kind}${range(spec)}${orNull}`;
}

function range({ min, exclusiveMin, max }: ParameterSpec): string {
  const above = exclusiveMin === true ? "above" : "of at least";
  if (min !== undefined && max !== undefined) {
    return exclusiveMin === true ? ` above ${min} and at most ${max}` : ` from ${min} to ${max}`;
  }
  if (min !== undefined) return ` ${above} ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}

/** A value as an error message shows it. */
export function quote(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
