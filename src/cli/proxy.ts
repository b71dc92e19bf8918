import { Command, Option } from "commander";
import { InputError, WorkError } from "../errors.js";
import type { DrainSettings } from "../proxy/lifetime.js";
import type { ProxyOptions } from "../proxy/proxy-options.js";
import { REFUSED_FLAGS } from "../proxy/refused-flags.js";
import { startProxy, type RunningProxy } from "../proxy/server.js";
import { runUntilSignal } from "../proxy/signals.js";
import { packageVersion } from "../package-info.js";
import { addProxyFlags, type ProxyFlags } from "./proxy-flags.js";
import { camel, proxyOptions } from "./proxy-options.js";

const EXAMPLES = `
The flags are vllm-router's and production-stack's; those of theirs that pdbench does not have are refused with the reason.

Examples:
  $ pdbench proxy --vllm-pd-disaggregation --prefill http://127.0.0.1:8100 none --decode http://127.0.0.1:8102 --policy cache_aware
  $ pdbench proxy --prefill http://p0:8000 --decode http://d0:8000 http://d1:8000 --routing-threshold 4096 --record trace.jsonl
  $ pdbench proxy --scenario conversation-4p4d --prefill http://p0:8000 --decode http://d0:8000
`;

/**
 * `pdbench proxy`: the routing core in front of real vLLM or mock engines.
 *
 * @param serve What is done with the options that the flags stand for.
 */
export function proxyCommand(serve: typeof serveUntilTold = serveUntilTold): Command {
  const command = new Command("proxy")
    .description(
      "Routes OpenAI requests over prefill and decode workers, with the routing core that simulate runs.",
    )
    .version(packageVersion(), "--version", "print the version");
  addProxyFlags(command);
  for (const flag of REFUSED_FLAGS.keys()) command.addOption(new Option(`--${flag} [value...]`).hideHelp());
  return command.addHelpText("after", EXAMPLES).action(async (flags: ProxyFlags) => {
    refuseForeignFlags(command);
    const { drainDelaySecs, drainTimeoutSecs } = flags;
    const drain = { delayMs: drainDelaySecs * 1000, timeoutMs: drainTimeoutSecs * 1000 };
    await serve(proxyOptions(flags), drain, () => proxyOptions(flags));
  });
}

/** @param reread What the flags stand for now, files read again. */
async function serveUntilTold(
  options: ProxyOptions,
  drain: DrainSettings,
  reread: () => ProxyOptions,
): Promise<void> {
  const proxy = await startProxy(options);
  const { prefill, decode, connector } = options;
  const log = options.log!;
  log.say(
    "info",
    `pdbench proxy listens on ${proxy.url}: ${prefill.length} prefill and ${decode.length} decode workers, ${connector.connector}`,
  );
  for (const [what, url] of Object.entries(proxy.ownUrls)) {
    if (url !== null) log.say("info", `pdbench proxy: ${what} on ${url}`);
  }
  let current = options;
  const reload = () => {
    const next = reread();
    proxy.reload(next);
    const changes = changedSettings(current.router, next.router);
    current = next;
    return `reloaded: ${changes.length === 0 ? "no setting of the router has changed" : changes.join(", ")}`;
  };
  const failure = withoutWorkers(proxy, options.startupTimeoutMs);
  await runUntilSignal({ proxy, drain, reload, failure, log });
}

/** Rejects when no worker answers in time, as vllm-router ends then. */
async function withoutWorkers(proxy: RunningProxy, timeoutMs = Infinity): Promise<never> {
  if (!(await proxy.workerAnswers(timeoutMs))) {
    throw new WorkError(
      `no worker has answered a health check within ${timeoutMs / 1000} s (--worker-startup-timeout-secs)`,
    );
  }
  return new Promise(() => undefined);
}

/** `path old -> new` for every setting that differs. */
function changedSettings(before: unknown, after: unknown, path = ""): string[] {
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) {
    return before === after ? [] : [`${path} ${String(before)} -> ${String(after)}`];
  }
  const [was, is] = [before as Record<string, unknown>, after as Record<string, unknown>];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) =>
    changedSettings(was[name], is[name], path === "" ? name : `${path}.${name}`),
  );
}

function refuseForeignFlags(command: Command): void {
  for (const [flag, reason] of REFUSED_FLAGS) {
    const given = command.getOptionValueSource(camel(flag));
    if (given !== undefined) throw new InputError(`--${flag} is not supported: ${reason}`);
  }
}
