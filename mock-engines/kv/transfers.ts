import { TransferNetwork } from "../../src/engine/kv-transfer.js";
import type { Alarm, VirtualClock } from "../virtual-clock.js";

export interface TransferLinks {
  /** One direction of a link, Gbit/s. */
  readonly bandwidthGbps: number;
  readonly latencyMs: number;
  /** False: every transfer has its links to itself. */
  readonly contention: boolean;
  /** Engines of this process; further links serve as the senders of the other processes and of shared storage. */
  readonly engines: number;
}

interface Transfer {
  readonly startMs: number;
  readonly bytes: number;
  readonly onEnd: (atMs: number, durationMs: number) => void;
}

/**
 * The KV transfers of all engines of the process over the engine model's links, in the time of the clock: a
 * transfer takes its latency and then bytes over its share of the bandwidth.
 */
export class Transfers {
  /** Link of senders outside the process. */
  readonly outside: number;
  /** Link of the shared storage. */
  readonly storage: number;
  private readonly network: TransferNetwork;
  private readonly clock: VirtualClock;
  private readonly alarm: Alarm;
  private readonly open = new Map<number, Transfer>();
  private nextId = 0;

  constructor(links: TransferLinks, clock: VirtualClock) {
    const { bandwidthGbps, latencyMs, contention, engines } = links;
    const gbps = new Array<number>(engines + 2).fill(bandwidthGbps);
    this.outside = engines;
    this.storage = engines + 1;
    this.network = new TransferNetwork({ senderGbps: gbps, receiverGbps: gbps, latencyMs, contention });
    this.clock = clock;
    this.alarm = clock.alarm((dueMs) => this.advance(dueMs));
  }

  /** Begins to move `bytes` between two links now; `onEnd` is called when the last byte has arrived. */
  start(sender: number, receiver: number, bytes: number, onEnd: Transfer["onEnd"]): void {
    const nowMs = this.clock.catchUp();
    const id = this.nextId++;
    this.open.set(id, { startMs: nowMs, bytes, onEnd });
    this.network.start(id, sender, receiver, bytes, nowMs);
    this.alarm.set(this.network.nextCompletionMs());
  }

  /** Transfers under way. */
  get inFlight(): number {
    return this.open.size;
  }

  private advance(nowMs: number): void {
    for (const id of this.network.advance(nowMs)) {
      const { startMs, onEnd } = this.open.get(id)!;
      this.open.delete(id);
      onEnd(nowMs, nowMs - startMs);
    }
    this.alarm.set(this.network.nextCompletionMs());
  }
}
