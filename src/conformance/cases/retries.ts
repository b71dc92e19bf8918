import { dying, first, likeVllm, refusing } from "../answerings.js";
import { completionBody } from "../bodies.js";
import type { ConformanceCase, Probe } from "../conformance-case.js";
import type { Exchange } from "../exchange.js";
import type { Answering } from "../kit-engine.js";
import type { Role } from "../wire.js";

const STREAM = '"max_tokens":6,"stream":true';
/** More attempts than any router's default. */
const ATTEMPTS_MAX = 20;

/** Trying again: only before the first byte, with the right handle, not for ever, and not what cannot help. */
export const RETRY_CASES: readonly ConformanceCase[] = [
  retryCase("prefill-503", "prefill", refusing(503, "engine is starting")),
  retryCase("prefill-dies", "prefill", dying),
  retryCase("decode-503", "decode", refusing(503, "engine is starting")),
  retryCase("decode-dies", "decode", dying),
  {
    name: "retries/not-4xx",
    rule: "what was refused with 400 is not tried again",
    hasFaults: true,
    async run(probe) {
      const x = probe.exchange({ prefill: refusing(400, "no") });
      await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      const attempts = x.legs("prefill").length;
      probe.findings.check(
        attempts === 1,
        `${attempts} prefill legs for a request that was refused with 400`,
      );
    },
  },
  {
    name: "retries/bounded",
    rule: "where every worker fails the router gives up, and says so",
    hasFaults: true,
    async run(probe) {
      const down = refusing(503, "engine is starting");
      const x = probe.exchange({ prefill: down, decode: down });
      const { status } = await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      const attempts = x.all.length;
      probe.findings.note(`${attempts} legs`);
      probe.findings.check(attempts <= ATTEMPTS_MAX, `${attempts} legs for one request`);
      probe.findings.check(
        status !== null && status >= 500,
        `the client got status ${status}, expected a 5xx`,
      );
    },
  },
];

/** One worker of a role fails once, before its first byte. A router need not try again; if it does, then properly. */
function retryCase(name: string, role: Role, fault: Answering): ConformanceCase {
  return {
    name: `retries/${name}`,
    rule: `a ${role} leg that fails before its first byte is tried on another worker, or not at all`,
    hasFaults: true,
    async run(probe) {
      const x = probe.exchange({ [role]: first(fault, likeVllm(probe.setup.dialect)) });
      const { status } = await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      const legs = x.legs(role);
      if (legs.length < 2) {
        const isFallback = status === 200 && role === "prefill";
        probe.findings.check(
          isFallback || (status !== null && status >= 500),
          `the client got status ${status} after the only ${role} leg failed`,
        );
        probe.needs(
          false,
          isFallback ? "the router went on with a decode worker alone" : "the router does not try again",
        );
      }
      probe.findings.check(
        status === 200,
        `the client got status ${status}, though the second attempt went well`,
      );
      checkAttempts(probe, x, role);
    },
  };
}

function checkAttempts({ findings, setup }: Probe, x: Exchange, role: Role): void {
  const legs = x.legs(role);
  if (legs[1]!.engine === legs[0]!.engine) {
    findings.differ(
      `the second attempt went to ${legs[0]!.engine}, which had just failed; vllm-router does not exclude it`,
    );
  }
  findings.note(`${legs.length} ${role} legs: ${legs.map(({ engine }) => engine).join(", ")}`);
  const [prefill, decode] = [x.legs("prefill").at(-1), x.legs("decode").at(-1)];
  if (prefill === undefined || decode === undefined) return;
  setup.dialect.checkPair(prefill, decode, findings, setup.engines);
}
