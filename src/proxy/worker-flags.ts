import { InputError } from "../errors.js";
import {
  commaList,
  oneForEach,
  refuseWithoutBackends,
  staticBackends,
  type StaticFlags,
} from "./static-backends.js";
import { expandRanks, parseWorkerUrl, type WorkerUrl } from "./worker-url.js";

/** Flags that say which workers there are; the names are vllm-router's and production-stack's. */
export interface WorkerFlags extends StaticFlags {
  /** `--prefill URL [PORT|none]`, all occurrences in one list. */
  readonly prefill?: readonly string[];
  readonly decode?: readonly string[];
  readonly workerUrls?: readonly string[];
  readonly intraNodeDataParallelSize?: number;
  readonly prefillDataParallelSize?: number;
  readonly decodeDataParallelSize?: number;
  /** production-stack: labels tell roles only where its logic disaggregates. */
  readonly routingLogic?: string;
  readonly prefillModelLabels?: string;
  readonly decodeModelLabels?: string;
}

export interface WorkerUrls {
  readonly prefill: readonly WorkerUrl[];
  readonly decode: readonly WorkerUrl[];
}

/**
 * The workers that the flags name, in one of three ways: `--prefill` and `--decode`, `--worker-urls` for
 * workers that all do both, or production-stack's static backends with a label for each.
 *
 * @throws InputError when a URL is wrong, ways are mixed, or a label is nobody's.
 */
export function workersOf(flags: WorkerFlags): WorkerUrls {
  const { prefill, decode, workerUrls, staticBackends: backends } = flags;
  const ways = [
    ["--prefill and --decode", prefill ?? decode],
    ["--worker-urls", workerUrls],
    ["--static-backends", backends],
  ] as const;
  if (backends === undefined) refuseStaticFlags(flags);
  const given = ways.filter(([, value]) => value !== undefined).map(([name]) => name);
  if (given.length > 1) throw new InputError(`${given.join(" with ")}: expected one way to name the workers`);
  const urls =
    backends === undefined
      ? {
          prefill: withPorts(prefill ?? []),
          decode: (decode ?? workerUrls ?? []).map((url) => parseWorkerUrl(url)),
        }
      : staticWorkers(flags);
  const { intraNodeDataParallelSize: both = 1 } = flags;
  const expand = (all: readonly WorkerUrl[], ranks = both) => all.flatMap((url) => expandRanks(url, ranks));
  return {
    prefill: expand(urls.prefill, flags.prefillDataParallelSize),
    decode: expand(urls.decode, flags.decodeDataParallelSize),
  };
}

function refuseStaticFlags(flags: WorkerFlags): void {
  refuseWithoutBackends(flags);
  for (const [flag, value] of [
    ["--prefill-model-labels", flags.prefillModelLabels],
    ["--decode-model-labels", flags.decodeModelLabels],
  ] as const) {
    if (value === undefined) continue;
    throw new InputError(`${flag} has no effect without --static-backends, expected both`);
  }
}

/** URLs, each with the bootstrap port that may stand behind it: `URL`, `URL 8998`, `URL none`. */
function withPorts(words: readonly string[]): WorkerUrl[] {
  const urls: WorkerUrl[] = [];
  words.forEach((word, index) => {
    if (!/^(none|\d+)$/i.test(word)) {
      urls.push(parseWorkerUrl(word, { bootstrapPort: bootstrapPort(words[index + 1]) }));
      return;
    }
    const before = words[index - 1];
    if (before === undefined || /^(none|\d+)$/i.test(before)) {
      throw new InputError(`--prefill ${word}: expected a URL before it`);
    }
  });
  return urls;
}

function bootstrapPort(word: string | undefined): number | null {
  if (word === undefined || !/^\d+$/.test(word)) return null;
  const port = Number(word);
  if (port > 0 && port < 65536) return port;
  throw new InputError(`--prefill: ${word} is not a port, expected 1 to 65535, or none`);
}

/** production-stack: labels tell the roles; backends without any of the labels take no part. */
function staticWorkers(flags: WorkerFlags): WorkerUrls {
  const urls = staticBackends(flags);
  const { staticModelLabels, prefillModelLabels, decodeModelLabels, routingLogic } = flags;
  const hasRoles = routingLogic === undefined || routingLogic.startsWith("disaggregated_prefill");
  const hasLabels = prefillModelLabels !== undefined || decodeModelLabels !== undefined;
  if (!hasRoles && hasLabels) {
    throw new InputError(
      `--routing-logic ${routingLogic} takes no --prefill-model-labels and --decode-model-labels, expected disaggregated_prefill`,
    );
  }
  if (routingLogic !== undefined && hasRoles && (prefillModelLabels ?? decodeModelLabels) === undefined) {
    throw new InputError(
      `--routing-logic ${routingLogic}: expected --prefill-model-labels and --decode-model-labels`,
    );
  }
  if (!hasLabels) return { prefill: [], decode: urls };
  const labels = oneForEach("--static-model-labels", staticModelLabels ?? "", urls)!;
  const labelled = (flag: string, names: string | undefined) => {
    const wanted = commaList(names ?? "");
    const unknown = wanted.find((name) => !labels.includes(name));
    if (unknown !== undefined) throw new InputError(`${flag} ${unknown}: no backend has this label`);
    return urls.filter((_, index) => wanted.includes(labels[index]!));
  };
  return {
    prefill: labelled("--prefill-model-labels", prefillModelLabels),
    decode: labelled("--decode-model-labels", decodeModelLabels),
  };
}
