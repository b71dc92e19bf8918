import { InputError } from "../errors.js";

/** Whose command line it is. */
export type FlagDialect = "vllm-router" | "production-stack" | "pdbench";

/** Flags that only one of the products has and that its command lines begin with. */
export interface TellingFlags {
  readonly vllmPdDisaggregation?: true;
  readonly workerUrls?: readonly string[];
  readonly prefill?: readonly string[];
  readonly serviceDiscovery?: string | true;
  readonly staticBackends?: string;
  readonly routingLogic?: string;
}

/** Defaults that the products disagree on. The host is loopback in all of them, unless told otherwise. */
export interface DialectDefaults {
  readonly port: number;
  /** NIXL: host of the KV; see `nixl`. */
  readonly remoteHost: "as_reported" | "prefill_url";
}

/**
 * Whose command line it is, by its telling flags: one binary name is all that changes.
 *
 * @throws InputError for telling flags of both products, or that take each other back.
 */
export function flagDialect(flags: TellingFlags): FlagDialect {
  const { vllmPdDisaggregation: isPd, workerUrls, prefill, routingLogic, staticBackends } = flags;
  if (isPd === true) {
    const other =
      workerUrls !== undefined
        ? "--worker-urls"
        : routingLogic !== undefined
          ? "--routing-logic"
          : staticBackends !== undefined
            ? "--static-backends"
            : null;
    if (other !== null) {
      throw new InputError(
        `--vllm-pd-disaggregation with ${other}: expected --prefill and --decode with the former, or the latter alone`,
      );
    }
    if (prefill === undefined) {
      throw new InputError("--vllm-pd-disaggregation has no prefill worker, expected --prefill URL");
    }
  }
  if (isPd === true || workerUrls !== undefined) return "vllm-router";
  const isStack = [routingLogic, staticBackends, flags.serviceDiscovery].some((flag) => flag !== undefined);
  return isStack ? "production-stack" : "pdbench";
}

export function dialectDefaults(dialect: FlagDialect, routingLogic: string | undefined): DialectDefaults {
  return {
    port: dialect === "production-stack" ? 8001 : 30000,
    remoteHost: routingLogic === "disaggregated_prefill_orchestrated" ? "prefill_url" : "as_reported",
  };
}
