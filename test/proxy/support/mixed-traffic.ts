import { randomStream } from "../../../src/values/random.js";
import { post, until, type Fleet } from "./fleet.js";
import { eventsOf, likeVllm, sendJson, type Script } from "./scripted-engine.js";

/** How a scripted worker may fail: by the number that the request carries in `fault`. */
const FAULTS: readonly Script[] = [
  (_, res) => sendJson(res, 500, '{"error":{"message":"injected"}}'),
  (_, res) => sendJson(res, 429, '{"error":{"message":"injected"}}'),
  (_, res) => void res.destroy(),
  (_, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    const [first] = eventsOf(false, 2);
    res.write(`${first!}data: {"ha`);
    setImmediate(() => res.destroy());
  },
];

interface Tally {
  completed: number;
  failed: number;
  aborted: number;
}

/**
 * Sends requests of every kind through the proxy, 16 at a time: chat and completions, text and token ids,
 * streams and documents, short and long, with faults and aborts in between, all drawn from the seed.
 *
 * @returns what became of them, once every connection is idle.
 */
export async function mixedTraffic(
  fleet: Fleet,
  { requests, seed }: { requests: number; seed: number },
): Promise<Tally> {
  const random = randomStream(seed, "mixed traffic");
  for (const leg of ["prefill", "decode"] as const) {
    for (const engine of fleet[leg]) {
      engine.script = (request, res) => {
        const { fault, fault_leg: faultLeg } = request.json ?? {};
        return typeof fault === "number" && faultLeg === leg
          ? FAULTS[fault]!(request, res)
          : likeVllm(request, res);
      };
    }
  }
  const tally: Tally = { completed: 0, failed: 0, aborted: 0 };
  const plans = Array.from({ length: requests }, () => planOf(random));
  const lanes = Array.from({ length: 16 }, async () => {
    for (let plan = plans.shift(); plan !== undefined; plan = plans.shift())
      tally[await carryOut(fleet, plan)]++;
  });
  await Promise.all(lanes);
  await until(() => fleet.proxy.router.isIdle());
  return tally;
}

interface Plan {
  readonly path: string;
  readonly body: object;
  /** Turns of the event loop after which the client leaves, or null. */
  readonly leavesAfter: number | null;
}

function planOf(random: ReturnType<typeof randomStream>): Plan {
  const isChat = random.nextFloat() < 0.4;
  const prefix = "shared prefix of everybody in this group ".repeat(1 + random.nextInt(4));
  const text = `${prefix}${random.nextInt(1000)}`;
  const prompt =
    random.nextFloat() < 0.3 ? Array.from({ length: 1 + random.nextInt(60) }, (_, i) => i) : text;
  const fault =
    random.nextFloat() < 0.15
      ? { fault: random.nextInt(4), fault_leg: random.nextFloat() < 0.3 ? "prefill" : "decode" }
      : {};
  return {
    path: isChat ? "/v1/chat/completions" : "/v1/completions",
    body: {
      ...(isChat ? { messages: [{ role: "user", content: text }] } : { prompt }),
      max_tokens: 1 + random.nextInt(6),
      stream: random.nextFloat() < 0.7,
      n: random.nextFloat() < 0.1 ? 2 : 1,
      user: `u${random.nextInt(5)}`,
      ...fault,
    },
    leavesAfter: random.nextFloat() < 0.15 ? random.nextInt(30) : null,
  };
}

async function carryOut({ url }: Fleet, { path, body, leavesAfter }: Plan): Promise<keyof Tally> {
  const controller = new AbortController();
  const leaving = leavesAfter === null ? null : leave(controller, leavesAfter);
  try {
    const response = await post(`${url}${path}`, body, {}, controller.signal);
    const text = await response.text();
    return response.status === 200 && !text.includes('"error"') ? "completed" : "failed";
  } catch {
    return controller.signal.aborted ? "aborted" : "failed";
  } finally {
    await leaving;
  }
}

async function leave(controller: AbortController, turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
}
