import { describe, expect, it } from "vitest";
import { request, routerOf, tally } from "../builders.js";

const routerWith = (settings: Record<string, unknown> = {}, decode = 4) =>
  routerOf({ decider: "never", policy: "consistent_hash", ...settings }, { prefill: 0, decode });

let nextId = 0;
const send = (router: ReturnType<typeof routerOf>, sessionKey: string | null, symbols: number[] = []) =>
  router.route(request(nextId++, { sessionKey, symbols }), 0).decode!;

describe("consistent_hash", () => {
  it("keeps a session on its worker", () => {
    const router = routerWith();
    const { worker } = send(router, "session-1");
    for (let i = 0; i < 10; i++) {
      expect(send(router, "session-1", [i])).toMatchObject({ worker, branch: "session_owner" });
    }
  });

  it("spreads sessions over all workers, unevenly as a ring of 160 points does", () => {
    const router = routerWith({}, 8);
    const counts = tally(Array.from({ length: 8000 }, (_, i) => send(router, `session-${i}`).worker));
    expect(counts).toHaveLength(8);
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(350);
  });

  it("moves only a lost worker's sessions, and spreads them over the others", () => {
    const router = routerWith();
    const keys = Array.from({ length: 2000 }, (_, i) => `session-${i}`);
    const before = keys.map((key) => send(router, key).worker);
    router.setHealthy(2, false, 0);
    const after = keys.map((key) => send(router, key).worker);
    const takers = new Set<number>();
    keys.forEach((_, i) => {
      if (before[i] === 2) takers.add(after[i]!);
      else expect(after[i]).toBe(before[i]);
    });
    expect([...takers].sort()).toEqual([0, 1, 3]);
  });

  it("gives a lost worker's sessions to the first healthy one as vLLM PD mode does, when told to", () => {
    const router = routerWith({ when_owner_is_down: "first_healthy" });
    const keys = Array.from({ length: 200 }, (_, i) => `session-${i}`);
    const lost = keys.filter((key) => send(router, key).worker === 2);
    router.setHealthy(2, false, 0);
    for (const key of lost) expect(send(router, key)).toMatchObject({ worker: 0, branch: "first_healthy" });
  });

  it("hashes a request without a session by its prompt", () => {
    const router = routerWith();
    const first = send(router, null, [1, 2, 3]);
    expect(first.branch).toBe("prompt_owner");
    expect(send(router, null, [1, 2, 3]).worker).toBe(first.worker);
    const others = Array.from({ length: 50 }, (_, i) => send(router, null, [i, 7]).worker);
    expect(new Set(others).size).toBe(4);
  });

  it("sends everything without a session to one worker under keyless constant, as the product does for chat", () => {
    const router = routerWith({ keyless: "constant" });
    const picks = Array.from({ length: 50 }, (_, i) => send(router, null, [i]).worker);
    expect(new Set(picks).size).toBe(1);
  });
});
