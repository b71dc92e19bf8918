import { describe, expect, it } from "vitest";
import { post, startFleet, until, type Fleet } from "./support/fleet.js";
import { eventsOf, Gate, type Script } from "./support/scripted-engine.js";

const STREAMS = 12;
const BODY = { prompt: "the same words for everybody, over and over again", max_tokens: 3, stream: true };

interface Loads {
  readonly workers: readonly { readonly leg: string; readonly load: number; readonly open_legs: number }[];
  readonly decisions: Readonly<Record<string, number>>;
}

/** A stream whose first token comes at once and the others when the gate opens. */
const heldAfterTheFirstToken =
  (gate: Gate): Script =>
  async (_, res) => {
    const [first, ...rest] = eventsOf(false, 3);
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(first);
    await gate.opened;
    res.end(`${rest.join("")}data: [DONE]\n\n`);
  };

async function loadsOf({ url }: Fleet): Promise<Loads> {
  return (await (await fetch(`${url}/loads`)).json()) as Loads;
}

/** One prompt streamed many times, one after another; what /loads says while all streams run, and after. */
async function whileStreamsRun(decodeRelease: "stream_end" | "headers") {
  const fleet = await startFleet({
    decode: 2,
    router: {
      policy: "cache_aware",
      balance_abs_threshold: 2,
      balance_rel_threshold: 1,
      load_accounting: { decode_release: decodeRelease },
    },
  });
  const gate = new Gate();
  for (const engine of fleet.decode) engine.script = heldAfterTheFirstToken(gate);
  const streams: Response[] = [];
  for (let i = 0; i < STREAMS; i++) streams.push(await post(`${fleet.url}/v1/completions`, BODY));
  const during = await loadsOf(fleet);
  gate.open();
  for (const stream of streams) expect(await stream.text()).toContain("[DONE]");
  await until(() => fleet.proxy.router.isIdle());
  const decodeWorkers = ({ workers }: Loads) => workers.filter(({ leg }) => leg === "decode");
  return {
    loads: decodeWorkers(during).map(({ load }) => load),
    openLegs: decodeWorkers(during).map(({ open_legs: open }) => open),
    decisions: during.decisions,
    afterwards: decodeWorkers(await loadsOf(fleet)).map(({ load }) => load),
  };
}

describe("cache_aware, when one prompt is streamed many times over", () => {
  it("spreads the streams with a ledger that counts them to their end", async () => {
    const { loads, openLegs, decisions, afterwards } = await whileStreamsRun("stream_end");
    expect(loads).toEqual(openLegs);
    expect(loads[0]! + loads[1]!).toBe(STREAMS);
    expect(Math.abs(loads[0]! - loads[1]!)).toBeLessThanOrEqual(3);
    expect(decisions["decode.balance"]).toBeGreaterThan(0);
    expect(afterwards).toEqual([0, 0]);
  });

  it("sends all to one worker when their load is released at the response headers", async () => {
    const { loads, openLegs, decisions, afterwards } = await whileStreamsRun("headers");
    expect(loads).toEqual([0, 0]);
    expect([...openLegs].sort()).toEqual([0, STREAMS]);
    expect(decisions).toMatchObject({ "decode.min_load": 1, "decode.cache_hit": STREAMS - 1 });
    expect(decisions).not.toHaveProperty(["decode.balance"]);
    expect(afterwards).toEqual([0, 0]);
  });
});
