import { completionBody } from "../bodies.js";
import type { ConformanceCase, Probe } from "../conformance-case.js";
import { headerValues, type Leg } from "../wire.js";

/** Headers on their way to the workers and back. */
export const HEADER_CASES: readonly ConformanceCase[] = [
  {
    name: "headers/request-id",
    rule: "both legs carry one X-Request-Id, which the client gets back",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model));
      const { prefill, decode } = await probe.served(x);
      const [a, b] = [idOf(prefill), idOf(decode)];
      probe.findings.check(a !== undefined, "the prefill leg has no X-Request-Id");
      probe.findings.check(a === b, `X-Request-Id is ${a} on the prefill leg and ${b} on the decode leg`);
      const [back] = headerValues(x.client!.rawHeaders, "x-request-id");
      if (back !== a) probe.findings.differ(`the client got X-Request-Id ${back}, the legs carried ${a}`);
    },
  },
  {
    name: "headers/request-id-of-client",
    rule: "an X-Request-Id that the client gives is on both legs",
    async run(probe) {
      const x = probe.exchange();
      const own = `client-${x.number}`;
      x.post("/v1/completions", completionBody(x, probe.model), ["x-request-id", own]);
      const { prefill, decode } = await probe.served(x);
      for (const leg of [prefill, decode]) {
        const id = idOf(leg);
        if (id === own) continue;
        probe.findings.differ(
          `the ${leg.role} leg carried ${id} in place of ${own}; vllm-router puts the legs' addresses there`,
        );
      }
    },
  },
  {
    name: "headers/request-id-per-request",
    rule: "no two requests share an X-Request-Id",
    async run(probe) {
      const ids = new Set<string | undefined>();
      for (let i = 0; i < 4; i++) {
        const x = probe.exchange();
        x.post("/v1/completions", completionBody(x, probe.model));
        ids.add(idOf((await probe.served(x)).decode));
      }
      probe.findings.check(
        ids.size === 4,
        `4 requests had ${ids.size} different ids: ${[...ids].join(", ")}`,
      );
    },
  },
  {
    name: "headers/session",
    rule: "session headers reach both legs, in any case and with - or _",
    async run(probe) {
      for (const name of ["X-Session-Id", "x_session_id", "x-user-id"]) {
        const x = probe.exchange();
        x.post("/v1/completions", completionBody(x, probe.model), [name, "session-7"]);
        const legs = await probe.served(x);
        for (const leg of [legs.prefill, legs.decode]) {
          if (headerValues(leg.rawHeaders, name.toLowerCase())[0] === "session-7") continue;
          probe.findings.differ(
            `${name} did not reach the ${leg.role} worker; vllm-router drops client headers`,
          );
        }
      }
    },
  },
  {
    name: "headers/session-affinity",
    rule: "requests of one session go to one pair of workers, however its header is spelt",
    async run(probe) {
      probe.needs(
        probe.setup.expectsAffinity,
        "give --expect-session-affinity for a router that keeps sessions",
      );
      const pairs = new Set<string>();
      for (let session = 0; session < 6; session++) {
        const seen = { prefill: new Set<string>(), decode: new Set<string>() };
        for (const name of ["X-Session-Id", "x-session-id", "X_SESSION_ID"]) {
          const x = probe.exchange();
          x.post("/v1/completions", completionBody(x, probe.model), [name, `affinity-${session}`]);
          const { prefill, decode } = await probe.served(x);
          seen.prefill.add(prefill.engine);
          seen.decode.add(decode.engine);
          pairs.add(`${prefill.engine} and ${decode.engine}`);
        }
        for (const [role, engines] of Object.entries(seen)) {
          probe.findings.check(
            engines.size === 1,
            `session affinity-${session} went to several ${role} workers: ${[...engines].join(", ")}`,
          );
        }
      }
      // A router that knows no sessions may look as if it did, where one pair does all the work.
      if (pairs.size === 1) probe.findings.differ(`all 6 sessions went to ${[...pairs].join()}`);
    },
  },
  {
    name: "headers/authorization",
    rule: "both legs treat the client's Authorization alike: passed on, or not",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model), ["authorization", "Bearer client-key"]);
      const { prefill, decode } = await probe.served(x);
      const [a, b] = [prefill, decode].map((leg) => headerValues(leg.rawHeaders, "authorization")[0]);
      probe.findings.check(
        a === b,
        `Authorization is ${shown(a)} on the prefill leg and ${shown(b)} on the decode leg`,
      );
      if (a === undefined) probe.findings.note("the client's key is not passed on");
      else if (a !== "Bearer client-key") {
        probe.findings.differ(
          `Authorization was replaced by ${shown(a)}; vllm-router and production-stack do so`,
        );
      }
    },
  },
  {
    name: "headers/hop-by-hop",
    rule: "headers of the client's connection stay there, and both legs are framed in one way",
    async run(probe) {
      const x = probe.exchange();
      const headers = [
        "connection",
        "close, x-of-this-hop",
        "x-of-this-hop",
        "1",
        "te",
        "trailers",
        "proxy-authorization",
        "Basic eA==",
      ];
      x.post("/v1/completions", completionBody(x, probe.model), headers);
      const { prefill, decode } = await probe.served(x);
      for (const leg of [prefill, decode]) checkFraming(probe, leg);
    },
  },
  {
    name: "headers/content-type",
    rule: "both legs are application/json, once",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model));
      const { prefill, decode } = await probe.served(x);
      for (const leg of [prefill, decode]) {
        const types = headerValues(leg.rawHeaders, "content-type");
        probe.findings.check(
          types.length === 1 && types[0]!.toLowerCase().startsWith("application/json"),
          `content-type is ${JSON.stringify(types)} on the ${leg.role} leg, expected application/json`,
        );
      }
    },
  },
  {
    name: "headers/data-parallel-rank",
    rule: "each leg names a rank of its own engine in X-data-parallel-rank, and all ranks get work",
    async run(probe) {
      const { dataParallelSize: size } = probe.setup;
      probe.needs(
        size > 1,
        "give --data-parallel-size N for a router that was told of N ranks behind each URL",
      );
      const seen = { prefill: new Set<string>(), decode: new Set<string>() };
      for (let i = 0; i < size * 8; i++) {
        const x = probe.exchange();
        x.post("/v1/completions", completionBody(x, probe.model));
        const { prefill, decode } = await probe.served(x);
        for (const leg of [prefill, decode]) {
          const values = headerValues(leg.rawHeaders, "x-data-parallel-rank");
          const isRank = values.length === 1 && /^\d+$/.test(values[0]!) && Number(values[0]) < size;
          probe.findings.check(
            isRank,
            `X-data-parallel-rank is ${JSON.stringify(values)} on the ${leg.role} leg, expected one of 0 to ${size - 1}`,
          );
          if (isRank) seen[leg.role].add(values[0]!);
        }
      }
      for (const [role, ranks] of Object.entries(seen)) {
        if (ranks.size < size)
          probe.findings.differ(`of ${size} ${role} ranks only ${[...ranks].join(", ")} got work`);
      }
    },
  },
];

function checkFraming({ findings }: Probe, leg: Leg): void {
  for (const name of ["x-of-this-hop", "te", "proxy-authorization"]) {
    if (headerValues(leg.rawHeaders, name).length === 0) continue;
    const message = `${name} reached the ${leg.role} worker, though it is for the router`;
    if (name === "te") findings.differ(message);
    else findings.fail(message);
  }
  const lengths = headerValues(leg.rawHeaders, "content-length");
  const isChunked = headerValues(leg.rawHeaders, "transfer-encoding").length > 0;
  findings.check(
    lengths.length + (isChunked ? 1 : 0) === 1,
    `the ${leg.role} leg has ${lengths.length} Content-Length${isChunked ? " beside Transfer-Encoding" : ""}, expected one framing`,
  );
}

function idOf(leg: Leg): string | undefined {
  return headerValues(leg.rawHeaders, "x-request-id")[0];
}

function shown(value: string | undefined): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}
