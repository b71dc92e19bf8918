import { expect, it } from "vitest";
import { request, routerOf } from "./builders.js";

it("a tie that only one of two runs saw changes no later draw", () => {
  const choices = (extra: boolean) => {
    const router = routerOf({ decider: "never", policy: "in_flight" }, { prefill: 0, decode: 4 });
    const taken: number[] = [];
    for (let id = 0; id < 100; id++) {
      if (extra && id === 3) {
        router.route(request(1_000), 0);
        router.onRequestEnd(1_000, "completed", 0);
      }
      taken.push(router.route(request(id), 0).decode!.worker);
      router.onRequestEnd(id, "completed", 0);
    }
    return taken;
  };
  expect(choices(true)).toEqual(choices(false));
  expect(new Set(choices(false)).size).toBe(4);
});
