import { describe, expect, it } from "vitest";
import { randomStream } from "../../../src/values/random.js";
import { startFleet, until } from "../support/fleet.js";
import { parserCase } from "./parser-case.js";
import { aliveCase, socketCase } from "./socket-case.js";

/** `npm run fuzz` runs 100,000. */
const SCALE = Number(process.env["PDBENCH_FUZZ_CASES"] ?? 2000);
const SOCKET_CASES = Math.ceil(SCALE / 25);
const LANES = 8;
const TIMEOUT_MS = 3_600_000;

describe("malformed input", { timeout: TIMEOUT_MS }, () => {
  it("is read without a crash, and edits of JSON give JSON", () => {
    for (let seed = 0; seed < SCALE - SOCKET_CASES; seed++) {
      try {
        parserCase(randomStream(seed, "fuzz/parsers"));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  it("over sockets ends in an answer or a closed connection, and reaches no worker of the other leg", async () => {
    const fleet = await startFleet({ prefill: 2, decode: 2 });
    const counts = new Map<number, number>();
    let next = 0;
    const lanes = Array.from({ length: LANES }, async () => {
      for (let seed = next++; seed < SOCKET_CASES; seed = next++) {
        const { statuses } = await socketCase(fleet.url, randomStream(seed, "fuzz/sockets")).catch(
          (error: unknown) => {
            throw new Error(`seed ${seed}`, { cause: error });
          },
        );
        for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
        if (seed % 50 === 0) await aliveCase(fleet, `alive ${seed}`);
      }
    });
    await Promise.all(lanes);
    await aliveCase(fleet, "alive at the end");
    await until(() => fleet.proxy.router.isIdle());
    // The generator is no use if all of its cases fall at the same hurdle.
    expect([...counts.keys()]).toEqual(expect.arrayContaining([200, 400]));
  });
});
