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

interface Described {
  /** The name users type; also the file's, in kebab-case. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Product and version, or paper. */
  readonly source: string;
}

/** A policy as it is listed, documented and configured. */
export interface PolicySpec extends Described {
  readonly parameters: readonly ParameterSpec[];
  /** True when the policy has `costs`, which the order of choice `joint` needs. */
  readonly givesCosts: boolean;
  /** True when the policy reads `Worker.stats`. */
  usesStats(params: ParameterValues): boolean;
  /** True when the policy goes by the engines' KV events. */
  usesKvEvents(params: ParameterValues): boolean;
  /** True when the policy looks at the session key. */
  usesSessionKey(params: ParameterValues): boolean;
  create(params: ParameterValues, setup: PolicySetup): Policy;
}

/** A decider as it is listed, documented and configured. */
export interface DeciderSpec extends Described {
  readonly parameters: readonly ParameterSpec[];
  /** True when the decider asks for `cachedTokens`: some index of prefixes must then be kept. */
  readonly usesPrefixes: boolean;
  usesStats(params: ParameterValues): boolean;
  create(params: ParameterValues): Decider;
}

interface PolicyDraft<P extends readonly ParameterSpec[]> extends Described {
  readonly parameters: P;
  readonly givesCosts?: boolean;
  readonly usesStats?: (params: Values<P>) => boolean;
  readonly usesKvEvents?: (params: Values<P>) => boolean;
  readonly usesSessionKey?: (params: Values<P>) => boolean;
  readonly create: (params: Values<P>, setup: PolicySetup) => Policy;
}

interface DeciderDraft<P extends readonly ParameterSpec[]> extends Described {
  readonly parameters: P;
  readonly usesPrefixes?: boolean;
  readonly usesStats?: (params: Values<P>) => boolean;
  readonly create: (params: Values<P>) => Decider;
}

/** Describes a policy; its functions get their parameters typed after their list. */
export function policySpec<const P extends readonly ParameterSpec[]>(draft: PolicyDraft<P>): PolicySpec {
  const { create, usesStats, usesKvEvents, usesSessionKey, givesCosts, ...rest } = draft;
  return {
    ...rest,
    givesCosts: givesCosts ?? false,
    // The values were checked against the same list, so they have its types.
    usesStats: (params) => usesStats?.(params as Values<P>) ?? false,
    usesKvEvents: (params) => usesKvEvents?.(params as Values<P>) ?? false,
    usesSessionKey: (params) => usesSessionKey?.(params as Values<P>) ?? false,
    create: (params, setup) => create(params as Values<P>, setup),
  };
}

/** Describes a decider; its functions get their parameters typed after their list. */
export function deciderSpec<const P extends readonly ParameterSpec[]>(draft: DeciderDraft<P>): DeciderSpec {
  const { create, usesStats, usesPrefixes, ...rest } = draft;
  return {
    ...rest,
    usesPrefixes: usesPrefixes ?? false,
    usesStats: (params) => usesStats?.(params as Values<P>) ?? false,
    create: (params) => create(params as Values<P>),
  };
}
