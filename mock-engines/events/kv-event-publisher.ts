import type { Publisher, Router } from "zeromq";
import { InputError } from "../../src/errors.js";
import { portAfter } from "../listen.js";
import { encodeKvEvents, type KvCacheEvent, type KvEventFormat } from "./kv-events.js";

/** Where and how the KV events of an engine are published; the names are those of vLLM's KVEventsConfig. */
export interface KvEventSettings {
  /** Port of the PUB socket; 0 = any free one. */
  readonly port: number;
  /** Port of the ROUTER socket that replays; 0 = any free one. */
  readonly replayPort: number;
  readonly topic: string;
  /** Batches kept for replay. */
  readonly bufferSteps: number;
  readonly format: KvEventFormat;
}

/** The same settings for the `index`-th of a row of engines. */
export function kvEventsAfter(settings: KvEventSettings, index: number): KvEventSettings {
  const { port, replayPort } = settings;
  return { ...settings, port: portAfter(port, index), replayPort: portAfter(replayPort, index) };
}

/** Closes a replay. */
const END_OF_REPLAY = Buffer.alloc(8, 0xff);

/**
 * vLLM's ZmqEventPublisher: batches go out as `[topic, sequence number, msgpack]`, numbered from 0, and a
 * subscriber that has missed some asks the replay socket for all from a number on.
 */
export class KvEventPublisher {
  private readonly publisher: Publisher;
  private readonly replay: Router;
  private readonly settings: KvEventSettings;
  private readonly blockSize: number;
  private readonly rank: number;
  private readonly buffer: { readonly sequence: Buffer; readonly payload: Buffer }[] = [];
  private next = 0n;
  /** A socket sends one message at a time. */
  private sending: Promise<void> = Promise.resolve();

  private constructor(
    publisher: Publisher,
    replay: Router,
    settings: KvEventSettings,
    blockSize: number,
    rank: number,
  ) {
    this.publisher = publisher;
    this.replay = replay;
    this.settings = settings;
    this.blockSize = blockSize;
    this.rank = rank;
    // Ends with the socket, which may be in the middle of a replay.
    this.serveReplays().catch(() => undefined);
  }

  /** @throws InputError where the optional package `zeromq` is not installed */
  static async open(
    settings: KvEventSettings,
    host: string,
    blockSize: number,
    rank: number,
  ): Promise<KvEventPublisher> {
    const zeromq = await import("zeromq").catch(() => {
      throw new InputError("KV events need the optional package zeromq: npm install zeromq@6.8.0");
    });
    const publisher = new zeromq.Publisher({ sendHighWaterMark: 100_000, linger: 0 });
    const replay = new zeromq.Router({ linger: 0 });
    try {
      await publisher.bind(addressOf(host, settings.port));
      await replay.bind(addressOf(host, settings.replayPort));
    } catch (error) {
      publisher.close();
      replay.close();
      throw error;
    }
    return new KvEventPublisher(publisher, replay, settings, blockSize, rank);
  }

  /** Ports of the two sockets. */
  get ports(): { readonly port: number; readonly replayPort: number } {
    return { port: portOf(this.publisher.lastEndpoint), replayPort: portOf(this.replay.lastEndpoint) };
  }

  publish(events: readonly KvCacheEvent[]): void {
    if (events.length === 0) return;
    const { topic, bufferSteps, format } = this.settings;
    const payload = encodeKvEvents(events, this.blockSize, this.rank, Date.now() / 1000, format);
    const sequence = Buffer.alloc(8);
    sequence.writeBigUInt64BE(this.next++);
    this.buffer.push({ sequence, payload });
    if (this.buffer.length > bufferSteps) this.buffer.shift();
    // What is left when the socket is closed is lost, as it is with vLLM.
    this.sending = this.sending
      .then(() => this.publisher.send([topic, sequence, payload]))
      .catch(() => undefined);
  }

  close(): void {
    this.publisher.close();
    this.replay.close();
  }

  private async serveReplays(): Promise<void> {
    for await (const [client, , from] of this.replay) {
      if (client === undefined || from?.length !== 8) continue;
      const batches = this.buffer.filter(({ sequence }) => sequence.compare(from) >= 0);
      for (const { sequence, payload } of batches) await this.replay.send([client, "", sequence, payload]);
      await this.replay.send([client, "", END_OF_REPLAY, ""]);
    }
  }
}

function portOf(endpoint: string | null): number {
  return Number(endpoint?.slice(endpoint.lastIndexOf(":") + 1));
}

function addressOf(host: string, port: number): string {
  return `tcp://${host}:${port === 0 ? "*" : port}`;
}
