import type { ParameterSpec, ParameterValues, Values } from "./parameters.js";
import type { Decider, Leg, Policy, Worker } from "./types.js";

/** What a policy instance is made for. */
export interface PolicySetup {
  readonly leg: Leg;
  /** The workers of the leg, in fleet order. */
  readonly workers: readonly Worker[];
  /** Workers of the whole fleet: the length of an array indexed by worker. */
  readonly fleetSize: number;
}

/** A policy as it is listed, documented and configured. */
export interface PolicySpec {
  /** The name users type; also the file's, in kebab-case. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Product and version, or paper. */
  readonly source: string;
  readonly parameters: readonly ParameterSpec[];
  /** True when the policy reads `Worker.stats`. */
  usesStats(params: ParameterValues): boolean;
  create(params: ParameterValues, setup: PolicySetup): Policy;
}

/** A decider as it is listed, documented and configured. */
export interface DeciderSpec {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly parameters: readonly ParameterSpec[];
  usesStats(params: ParameterValues): boolean;
  /** True when the decider asks for `cachedTokens`: some index of prefixes must then be kept. */
  readonly usesPrefixes: boolean;
  create(params: ParameterValues): Decider;
}

/** Describes a policy; `create` gets its parameters typed after their list. */
export function policySpec<const P extends readonly ParameterSpec[]>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly parameters: P;
  readonly usesStats?: (params: Values<P>) => boolean;
  readonly create: (params: Values<P>, setup: PolicySetup) => Policy;
}): PolicySpec {
  const { create, usesStats, ...rest } = spec;
  return {
    ...rest,
    // The values were checked against the same list, so they have its types.
    usesStats: (params) => usesStats?.(params as Values<P>) ?? false,
    create: (params, setup) => create(params as Values<P>, setup),
  };
}

/** Describes a decider; `create` gets its parameters typed after their list. */
export function deciderSpec<const P extends readonly ParameterSpec[]>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly parameters: P;
  readonly usesStats?: (params: Values<P>) => boolean;
  readonly usesPrefixes?: boolean;
  readonly create: (params: Values<P>) => Decider;
}): DeciderSpec {
  const { create, usesStats, usesPrefixes, ...rest } = spec;
  return {
    ...rest,
    usesPrefixes: usesPrefixes ?? false,
    usesStats: (params) => usesStats?.(params as Values<P>) ?? false,
    create: (params) => create(params as Values<P>),
  };
}
