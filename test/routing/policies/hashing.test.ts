import { describe, expect, it } from "vitest";
import type { Router } from "../../../src/routing/router.js";
import { complete, request, routerOf, tally } from "../builders.js";

const routerWith = (policy: string, settings: Record<string, unknown> = {}, decode = 4) =>
  routerOf({ decider: "never", policy, ties: undefined, ...settings }, { prefill: 0, decode });

let nextId = 0;
const send = (router: Router, sessionKey: string | null, symbols: number[] = []) =>
  router.route(request(nextId++, { sessionKey, symbols }), 0).decode!;
const keys = (count: number) => Array.from({ length: count }, (_, i) => `session-${i}`);

describe("rendezvous_hash", () => {
  it("keeps a session on its worker and moves only a lost worker's, evenly", () => {
    const router = routerWith("rendezvous_hash");
    const before = keys(2000).map((key) => send(router, key).worker);
    router.setHealthy(1, false, 0);
    const after = keys(2000).map((key) => send(router, key).worker);
    const moved = tally(after.filter((_, i) => before[i] === 1));
    before.forEach((worker, i) => {
      if (worker !== 1) expect(after[i]).toBe(worker);
    });
    expect(Math.max(...moved) - Math.min(moved[0]!, moved[2]!, moved[3]!)).toBeLessThan(80);
  });

  it("spreads sessions more evenly than a ring", () => {
    const spread = (policy: string) => {
      const counts = tally(keys(8000).map((key) => send(routers[policy]!, key).worker));
      return Math.max(...counts) - Math.min(...counts);
    };
    const routers: Record<string, Router> = {
      rendezvous_hash: routerWith("rendezvous_hash", {}, 8),
      consistent_hash: routerWith("consistent_hash", {}, 8),
    };
    expect(spread("rendezvous_hash")).toBeLessThan(spread("consistent_hash"));
  });

  it("places prompts without a session by their content", () => {
    const router = routerWith("rendezvous_hash");
    const { worker, branch } = send(router, null, [1, 2]);
    expect(branch).toBe("prompt_owner");
    expect(send(router, null, [1, 2]).worker).toBe(worker);
  });
});

describe("bounded_load_hash", () => {
  it("is consistent hashing while no worker is overloaded", () => {
    const bounded = routerWith("bounded_load_hash", { load_factor: 1000 });
    const plain = routerWith("consistent_hash");
    for (const key of keys(100)) expect(send(bounded, key).worker).toBe(send(plain, key).worker);
  });

  it("never lets a worker's load go above the factor times the mean, rounded up", () => {
    const router = routerWith("bounded_load_hash", { load_factor: 1.25 });
    for (let i = 1; i <= 200; i++) {
      send(router, "one-hot-session");
      const bound = Math.ceil((1.25 * i) / 4);
      for (let worker = 0; worker < 4; worker++) expect(router.load.open(worker)).toBeLessThanOrEqual(bound);
    }
  });

  it("sends what its owner has no room for to the next on the ring", () => {
    const router = routerWith("bounded_load_hash", { load_factor: 1 });
    const owner = send(router, "s").worker;
    const second = send(router, "s");
    expect(second).toMatchObject({ branch: "owner_full", figures: { owner } });
    expect(second.worker).not.toBe(owner);
  });
});

describe("prefix_hash", () => {
  it("places prompts by their first tokens only", () => {
    const router = routerWith("prefix_hash", { prefix_token_count: 512, prefix_hash_load_factor: 1000 });
    for (let first = 0; first < 20; first++) {
      const { worker } = send(router, null, [first, 1]);
      expect(send(router, null, [first, 2, 3])).toMatchObject({ worker, branch: "owner" });
    }
  });

  it("takes the least loaded worker that has room when the owner has none", () => {
    const router = routerWith("prefix_hash", { ties: "first" }, 2);
    const owner = send(router, null, [1]).worker;
    // One open of one: the bound is 1.25 * 2 / 2 = 1.25.
    expect(send(router, null, [1]).worker).toBe(owner);
    // Two open: the bound is 1.25 * 3 / 2 = 1.875.
    expect(send(router, null, [1])).toMatchObject({ worker: 1 - owner, branch: "owner_full" });
  });
});

describe("prefix_hash at its bounds", () => {
  /** Loads of the owner of prompt [1] and of the other worker, and where one more such prompt goes. */
  const at = (ownerLoad: number, otherLoad: number, settings: Record<string, unknown> = {}) => {
    const router = routerWith("prefix_hash", { ties: "first", ...settings }, 2);
    const { owner } = send(router, null, [1]).figures as { owner: number };
    complete(router, nextId - 1);
    const fill = (worker: number, count: number) => {
      router.setHealthy(1 - worker, false, 0);
      for (let i = 0; i < count; i++) send(router, null, [2]);
      router.setHealthy(1 - worker, true, 0);
    };
    fill(owner, ownerLoad);
    fill(1 - owner, otherLoad);
    return send(router, null, [1]).branch;
  };

  it.each([
    // Bound 2 * (3 + 1) / 2 = 4 and 1 * (5 + 1) / 2 = 3.
    [3, 0, 2, "owner"],
    [3, 2, 1, "owner"],
    [4, 1, 1, "owner_full"],
  ])("with %i open on the owner, %i elsewhere and a factor of %i: %s", (ownerLoad, other, factor, branch) => {
    expect(at(ownerLoad, other, { prefix_hash_load_factor: factor })).toBe(branch);
  });

  it("hashes whole symbols, as many as it takes for prefix_token_count", () => {
    const router = routerWith("prefix_hash", { prefix_token_count: 513, prefix_hash_load_factor: 1000 });
    const owners = new Set(Array.from({ length: 30 }, (_, i) => send(router, null, [1, i, 9]).worker));
    expect(owners.size).toBeGreaterThan(1);
    for (let i = 0; i < 20; i++) {
      expect(send(router, null, [1, 2, i]).worker).toBe(send(router, null, [1, 2, 99]).worker);
    }
  });

  it("makes its ring anew when workers come or go", () => {
    const router = routerWith("prefix_hash", { prefix_hash_load_factor: 1000 }, 2);
    router.removeWorker(0);
    for (let i = 0; i < 10; i++) expect(send(router, null, [i])).toMatchObject({ figures: { owner: 1 } });
  });
});

describe("sticky_least_loaded", () => {
  const routerFor = (settings: Record<string, unknown> = {}) =>
    routerWith("sticky_least_loaded", { ties: "first", ...settings }, 2);

  it("gives new sessions to the worker with the fewest, and keeps them there", () => {
    const router = routerFor();
    expect(["a", "b", "c"].map((key) => send(router, key).worker)).toEqual([0, 1, 0]);
    expect(["c", "b", "a"].map((key) => send(router, key).worker)).toEqual([0, 1, 0]);
    expect(send(router, "a").branch).toBe("session");
  });

  it("gives a lost worker's sessions a new home", () => {
    const router = routerFor();
    send(router, "a");
    router.setHealthy(0, false, 0);
    expect(send(router, "a")).toMatchObject({ worker: 1, branch: "home_down" });
    router.setHealthy(0, true, 0);
    expect(send(router, "a")).toMatchObject({ worker: 1, branch: "session" });
  });

  it("forgets a session after its time", () => {
    const router = routerFor({ session_ttl_s: 10 });
    const at = (nowMs: number) => router.route(request(nextId++, { sessionKey: "a" }), nowMs).decode!.branch;
    expect(at(0)).toBe("new_session");
    expect(at(10_000)).toBe("session");
    expect(at(20_001)).toBe("new_session");
    expect(at(200_000)).toBe("new_session");
  });

  it("forgets the sessions of a worker whose cache is gone, which then count no more", () => {
    const router = routerFor();
    send(router, "a");
    router.forgetWorker(0);
    expect(send(router, "b")).toMatchObject({
      worker: 0,
      branch: "new_session",
      figures: { min_sessions: 0 },
    });
  });

  it("compares with a lowest load of at least one when it migrates", () => {
    const router = routerFor({ migrate_abs_threshold: 1, migrate_rel_threshold: 3 });
    for (let i = 0; i < 2; i++) send(router, "a");
    expect(send(router, "a").branch).toBe("session");
    expect(send(router, "a").branch).toBe("migrated");
  });

  it("assigns new sessions by open requests when told to", () => {
    const router = routerFor({ assign_by: "in_flight" });
    send(router, "a");
    send(router, "b");
    send(router, "b");
    expect(send(router, "c")).toMatchObject({ worker: 0, figures: { min_load: 1 } });
  });

  it("counts sessions whose time is over no more", () => {
    const router = routerFor({ session_ttl_s: 10 });
    const at = (sessionKey: string, nowMs: number) =>
      router.route(request(nextId++, { sessionKey }), nowMs).decode!;
    for (const key of ["a", "b", "c"]) at(key, 0);
    // Swept at most once a minute, when a session is seen.
    expect(at("d", 70_000)).toMatchObject({ worker: 1, figures: { min_sessions: 1 } });
    expect(at("e", 70_000)).toMatchObject({ worker: 0, figures: { min_sessions: 0 } });
    expect(at("f", 80_000).figures).toEqual({ min_sessions: 1 });
  });

  it("leaves nothing behind of requests without a session", () => {
    const router = routerFor();
    expect(send(router, null)).toMatchObject({ worker: 0, branch: "keyless" });
    expect(send(router, null)).toMatchObject({ worker: 0, branch: "keyless" });
  });

  it.each([
    [7, "session"],
    [8, "migrated"],
  ])("with %i more open requests at home than elsewhere, goes by %s", (more, branch) => {
    const router = routerFor({ migrate_abs_threshold: 8, migrate_rel_threshold: 2 });
    for (let i = 0; i < more; i++) send(router, "a");
    expect(send(router, "a").branch).toBe(branch);
  });

  it.each([
    [15, "session"],
    [16, "migrated"],
  ])("with %i open at home and 8 elsewhere (twice as many, inclusive), goes by %s", (home, branch) => {
    const router = routerFor({ migrate_abs_threshold: 1, migrate_rel_threshold: 2 });
    for (let i = 0; i < 8; i++) for (const key of ["a", "b"]) send(router, key);
    for (let i = 8; i < home; i++) send(router, "a");
    expect(send(router, "a").branch).toBe(branch);
  });

  it("migrates to the fewest open requests, though more sessions live there", () => {
    const router = routerFor({ migrate_abs_threshold: 3 });
    send(router, "a");
    for (const key of ["b", "c", "d", "e"]) {
      send(router, key);
      complete(router, nextId - 1);
    }
    // Sessions a, c and e live on worker 0, b and d on worker 1; then f and g come to live there, too.
    for (const key of ["f", "g"]) {
      router.setHealthy(0, false, 0);
      send(router, key);
      complete(router, nextId - 1);
      router.setHealthy(0, true, 0);
    }
    send(router, "a");
    send(router, "a");
    expect(send(router, "a")).toMatchObject({ worker: 1, branch: "migrated", figures: { min_load: 0 } });
    expect(send(router, "a")).toMatchObject({ worker: 1, branch: "session" });
  });
});
