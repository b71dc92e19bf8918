import { Agent, request as httpRequest } from "node:http";
import { randomStream, type Random } from "../../src/values/random.js";

/** What became of requests, as their clients saw it. */
export interface Tally {
  completed: number;
  /** Any other status, an error in the stream, or a connection that broke. */
  failed: number;
  /** The client gave the request up before its answer was complete. */
  left: number;
}

/** When a client gives up: at once, when the answer begins, or never. */
type Patience = "at once" | "at the first byte" | "endless";

interface Plan {
  readonly path: string;
  readonly body: object;
  readonly patience: Patience;
}

const CHAT_SHARE = 0.4;
const LEAVING_SHARE = 0.1;
/** Few different prompts, so that caches and indices are full long before the end. */
const PROMPTS = 40;

/**
 * Clients that send requests of every kind, one after another each: chat and completions, text and token ids,
 * streams and documents, below and above the threshold, some of them given up. All drawn from the seed.
 */
export class MixedClients {
  private readonly url: string;
  private readonly clients: number;
  private readonly random: Random;
  private readonly agent: Agent;
  private readonly tally: Tally = { completed: 0, failed: 0, left: 0 };

  constructor(url: string, clients: number, seed: number) {
    this.url = url;
    this.clients = clients;
    this.random = randomStream(seed, "mixed clients");
    this.agent = new Agent({ keepAlive: true, maxSockets: clients });
  }

  /** Sends `count` more requests; resolves with the tally of all so far when each of them has ended. */
  async send(count: number): Promise<Tally> {
    const plans = Array.from({ length: count }, () => planOf(this.random));
    const client = async () => {
      for (let plan = plans.pop(); plan !== undefined; plan = plans.pop()) {
        this.tally[await this.carryOut(plan)]++;
      }
    };
    await Promise.all(Array.from({ length: this.clients }, client));
    return this.tally;
  }

  close(): void {
    this.agent.destroy();
  }

  private carryOut({ path, body, patience }: Plan): Promise<keyof Tally> {
    return new Promise((resolve) => {
      const call = httpRequest(`${this.url}${path}`, {
        method: "POST",
        agent: this.agent,
        headers: { "content-type": "application/json" },
      });
      call.on("error", () => resolve(call.destroyed && patience !== "endless" ? "left" : "failed"));
      call.on("response", (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          if (patience !== "at the first byte") return;
          call.destroy();
          resolve("left");
        });
        response.on("error", () => resolve("failed"));
        response.on("end", () => {
          resolve(response.statusCode === 200 && !text.includes('"error"') ? "completed" : "failed");
        });
      });
      call.end(JSON.stringify(body), () => {
        if (patience !== "at once") return;
        call.destroy();
        resolve("left");
      });
    });
  }
}

function planOf(random: Random): Plan {
  const isChat = random.nextFloat() < CHAT_SHARE;
  const number = random.nextInt(PROMPTS);
  const words = 20 + 5 * number;
  const text = `${"shared words of everybody ".repeat(words / 4)} and number ${number}`;
  const ids = Array.from({ length: words }, (_, i) => (i < words / 2 ? i : number));
  const prompt = random.nextFloat() < 0.3 ? ids : text;
  const leaves = random.nextFloat() < LEAVING_SHARE;
  return {
    path: isChat ? "/v1/chat/completions" : "/v1/completions",
    body: {
      ...(isChat ? { messages: [{ role: "user", content: text }] } : { prompt }),
      max_tokens: 1 + random.nextInt(6),
      stream: random.nextFloat() < 0.7,
      n: random.nextFloat() < 0.05 ? 2 : 1,
      user: `u${random.nextInt(5)}`,
    },
    patience: !leaves ? "endless" : random.nextFloat() < 0.5 ? "at once" : "at the first byte",
  };
}
