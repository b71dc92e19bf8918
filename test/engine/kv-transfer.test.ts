import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TransferNetwork } from "../../src/engine/kv-transfer.js";

const MIB = 2 ** 20;
/** Bytes per ms of 8 Gbit/s: one million. */
const BYTES_PER_MS = 1e6;

function network(
  senders: number,
  receivers: number,
  gbps = 8,
  latencyMs = 0,
  contention = true,
): TransferNetwork {
  return new TransferNetwork({
    senderGbps: new Array<number>(senders).fill(gbps),
    receiverGbps: new Array<number>(receivers).fill(gbps),
    latencyMs,
    contention,
  });
}

/** Advances event by event until nothing is in flight. */
function drain(links: TransferNetwork): { id: number; atMs: number }[] {
  const done: { id: number; atMs: number }[] = [];
  for (let next = links.nextCompletionMs(); next < Infinity; next = links.nextCompletionMs()) {
    for (const id of links.advance(next)) done.push({ id, atMs: next });
  }
  return done;
}

describe("TransferNetwork", () => {
  it("moves a lone transfer in latency plus bytes over bandwidth", () => {
    const links = network(1, 1, 8, 2);
    links.start(7, 0, 0, 10 * BYTES_PER_MS, 5);
    expect(drain(links)).toEqual([{ id: 7, atMs: 17 }]);
    expect(links.bytesMoved).toBe(10 * BYTES_PER_MS);
  });

  it("gives every transfer the whole link without contention", () => {
    const links = network(1, 1, 8, 2, false);
    links.start(1, 0, 0, 10 * BYTES_PER_MS, 0);
    links.start(2, 0, 0, 10 * BYTES_PER_MS, 0);
    expect(drain(links)).toEqual([
      { id: 1, atMs: 12 },
      { id: 2, atMs: 12 },
    ]);
  });

  it("shares a sender evenly and gives the rest to the one that stays", () => {
    const links = network(1, 2);
    links.start(1, 0, 0, 10 * BYTES_PER_MS, 0);
    links.start(2, 0, 1, 20 * BYTES_PER_MS, 0);
    expect(drain(links)).toEqual([
      { id: 1, atMs: 20 },
      { id: 2, atMs: 30 },
    ]);
  });

  it("shares a receiver evenly", () => {
    const links = network(2, 1);
    links.start(1, 0, 0, 10 * BYTES_PER_MS, 0);
    links.start(2, 1, 0, 10 * BYTES_PER_MS, 10);
    expect(drain(links)).toEqual([
      { id: 1, atMs: 10 },
      { id: 2, atMs: 20 },
    ]);
  });

  it("leaves transfers between other pairs at full speed", () => {
    const links = network(2, 2);
    links.start(1, 0, 0, 10 * BYTES_PER_MS, 0);
    links.start(2, 1, 1, 10 * BYTES_PER_MS, 0);
    expect(drain(links).map(({ atMs }) => atMs)).toEqual([10, 10]);
  });

  it("ends transfers of one instant in order of id", () => {
    const links = network(3, 3);
    for (const id of [9, 3, 5]) links.start(id, id % 3, id % 3, 0, 4);
    expect([...links.advance(4)]).toEqual([3, 5, 9]);
  });

  it("takes no time over a free and instant link", () => {
    const links = network(1, 1, Infinity);
    links.start(1, 0, 0, 1e12, 3);
    links.start(2, 0, 0, 1e12, 3);
    expect(links.nextCompletionMs()).toBe(3);
    expect(drain(links)).toEqual([
      { id: 1, atMs: 3 },
      { id: 2, atMs: 3 },
    ]);
  });

  it("gives a cancelled transfer's share to the others and counts what it moved", () => {
    const links = network(1, 2);
    links.start(1, 0, 0, 10 * BYTES_PER_MS, 0);
    links.start(2, 0, 1, 10 * BYTES_PER_MS, 0);
    links.cancel(1, 10);
    expect(links.inFlight()).toBe(1);
    expect(drain(links)).toEqual([{ id: 2, atMs: 15 }]);
    expect(links.bytesMoved).toBeCloseTo(15 * BYTES_PER_MS, 3);
  });

  it("ignores the cancellation of an id that is not in flight", () => {
    const links = network(1, 1);
    links.cancel(4, 0);
    expect(links.nextCompletionMs()).toBe(Infinity);
  });

  const transfers = fc.array(
    fc.record({
      sender: fc.nat(3),
      receiver: fc.nat(3),
      bytes: fc.nat(64).map((n) => n * MIB),
      gapMs: fc.nat(40),
    }),
    { minLength: 1, maxLength: 60 },
  );

  it("delivers every byte once, none before its time, and starves nobody", () => {
    fc.assert(
      fc.property(
        transfers,
        fc.double({ min: 0.5, max: 400, noNaN: true }),
        fc.nat(5),
        (jobs, gbps, latencyMs) => {
          const links = network(4, 4, gbps, latencyMs);
          const startMs: number[] = [];
          const endMs: number[] = [];
          let nowMs = 0;
          const collect = (untilMs: number): void => {
            while (links.nextCompletionMs() <= untilMs) {
              const atMs = links.nextCompletionMs();
              for (const id of links.advance(atMs)) endMs[id] = atMs;
            }
          };
          jobs.forEach(({ sender, receiver, bytes, gapMs }, id) => {
            nowMs += gapMs;
            collect(nowMs);
            startMs[id] = nowMs;
            links.start(id, sender, receiver, bytes, nowMs);
          });
          const totalBytes = jobs.reduce((sum, { bytes }) => sum + bytes, 0);
          // At every instant some busy link is full, so all links one after the other would have finished by now.
          collect(nowMs + latencyMs + (totalBytes * 8) / (gbps * 1e6) + 1e-3);
          expect(links.inFlight()).toBe(0);
          expect(Math.abs(links.bytesMoved - totalBytes)).toBeLessThanOrEqual(1e-6 * totalBytes);
          jobs.forEach(({ bytes }, id) => {
            const leastMs = latencyMs + (bytes * 8) / (gbps * 1e6);
            expect(endMs[id]! - startMs[id]!).toBeGreaterThanOrEqual(leastMs - 1e-6);
          });
        },
      ),
    );
  });

  it("ends transfers in order of time whatever the steps of the clock", () => {
    fc.assert(
      fc.property(transfers, (jobs) => {
        const fine = network(4, 4);
        const coarse = network(4, 4);
        jobs.forEach(({ sender, receiver, bytes }, id) => {
          fine.start(id, sender, receiver, bytes, 0);
          coarse.start(id, sender, receiver, bytes, 0);
        });
        expect([...coarse.advance(1e9)]).toEqual(drain(fine).map(({ id }) => id));
      }),
    );
  });
});
