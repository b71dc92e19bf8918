import type { KvRole } from "../../src/engine/types.js";
import type { EngineDriver } from "../engine-driver.js";
import type { Faults } from "../faults.js";
import { ApiError } from "../http/api-error.js";
import type { Knobs } from "../knobs.js";
import type { KvSource, Leg, LegSpec } from "../leg.js";
import type { EngineMetrics } from "../metrics.js";
import type { Alarm, VirtualClock } from "../virtual-clock.js";
import { hashBlocks, prefixKey } from "./block-hashes.js";
import { HandleLedger } from "./handle-ledger.js";
import { handleParams, type PushTarget, type RemoteHandle } from "./kv-params.js";
import { ReceivedPrefixes } from "./received-prefixes.js";
import type { SharedStorage } from "./shared-storage.js";
import { SideChannelClient, type SideAnswer, type SideMessage } from "./side-channel.js";
import type { Transfers } from "./transfers.js";

/** What an engine exchanges KV with, and how. */
export interface KvExchangeSetup {
  readonly clock: VirtualClock;
  readonly transfers: Transfers;
  /** This engine's link. */
  readonly link: number;
  /** Link of another engine of the process by its id; null = it is elsewhere. */
  readonly linkOf: (engineId: string) => number | null;
  readonly storage: SharedStorage | null;
  readonly blockSize: number;
  readonly kvBytesPerToken: number;
  /** How long blocks are held where the knobs do not say. */
  readonly heldKvTimeoutMs: number;
  readonly knobs: () => Knobs;
  readonly faults: Faults;
  readonly metrics: EngineMetrics;
}

/** Figures of the exchange at one instant. */
export interface KvExchangeState {
  readonly handlesOutstanding: number;
  readonly handlesIssued: number;
  readonly handlesRead: number;
  readonly handlesReleased: number;
  readonly handlesExpired: number;
  /** LMCache prefixes that were pushed here and that nobody has asked for. */
  readonly received: number;
}

const KV_LOST = "Internal server error";

/**
 * One engine's end of KV handover, for all dialects. As prefill engine it issues handles, holds their blocks in
 * the ledger and answers the side channel; as decode engine it presents handles, waits for the bytes, and falls
 * back or fails as `kv_load_failure_policy` says.
 */
export class KvExchange {
  readonly engineId: string;
  private readonly setup: KvExchangeSetup;
  private readonly driver: EngineDriver;
  private readonly ledger: HandleLedger;
  private readonly client = new SideChannelClient();
  private readonly received = new ReceivedPrefixes();
  private readonly leases: Alarm;
  private address = { host: "", port: 0 };
  private closed = false;

  constructor(engineId: string, setup: KvExchangeSetup, driver: EngineDriver) {
    this.engineId = engineId;
    this.setup = setup;
    this.driver = driver;
    this.ledger = new HandleLedger(engineId);
    this.leases = setup.clock.alarm((dueMs) => this.expire(dueMs));
  }

  /** Where other engines reach this one, once its side channel listens. */
  listensAt(host: string, port: number): void {
    this.address = { host, port };
  }

  /**
   * How the engine treats a request's KV, and where it comes from.
   *
   * @throws ApiError when the handle is incomplete and the policy is to fail
   */
  plan(spec: LegSpec): { readonly role: KvRole; readonly source: KvSource | null } {
    const { intent } = spec;
    if (intent.kind === "hold" || intent.kind === "push") return { role: "remote_decode", source: null };
    if (intent.kind === "pull" && intent.handle !== null) {
      return { role: "remote_prefill", source: { kind: "pull", handle: intent.handle } };
    }
    if (intent.kind === "pull") {
      this.setup.metrics.kvLoadFailed("missing");
      if (this.setup.knobs().kv_load_failure_policy === "fail") throw new ApiError(500, KV_LOST);
      this.setup.metrics.kvRecomputed();
    }
    if (this.takeReceived(spec)) return { role: "remote_prefill", source: { kind: "received" } };
    if (this.storageSaves(spec)) return { role: "remote_prefill", source: { kind: "storage" } };
    return { role: "local", source: null };
  }

  /** Prompt tokens that need not be computed here: in the prefix cache or on the shared storage. */
  hitTokens(spec: LegSpec): number {
    return Math.max(this.driver.cachedTokens(spec), this.storedTokens(spec));
  }

  /** The engine has blocks for `tokens` tokens of a leg's KV; 0 = the leg is gone before it began to read. */
  onReadStart(leg: Leg, atMs: number, tokens: number): void {
    const { source } = leg;
    const { transfers, link } = this.setup;
    if (source === null) return;
    if (source.kind === "pull") {
      if (tokens === 0) this.giveBack(source.handle);
      else void this.pull(leg, source.handle, tokens);
    } else if (tokens > 0 && source.kind === "storage") {
      transfers.start(transfers.storage, link, this.bytes(tokens), (endMs) => this.arrived(leg, endMs));
    } else if (tokens > 0) {
      this.arrived(leg, atMs);
    }
  }

  /** All tokens of a leg are out: hands its KV over where it is wanted, then completes the leg. */
  onFinished(leg: Leg, atMs: number): void {
    const { intent } = leg.spec;
    if (leg.state !== "open") {
      this.letGo(leg, atMs);
      return;
    }
    this.setup.storage?.store(leg.content.hashes, Math.floor(leg.spec.promptTokens / this.setup.blockSize));
    if (intent.kind === "hold") this.issueHandle(leg, atMs);
    if (intent.kind === "push") void this.push(leg, intent.target, intent.returnFirstToken);
    else this.driver.complete(leg, atMs);
  }

  /** Answers the side channel. */
  handle(message: SideMessage): SideAnswer | Promise<SideAnswer> {
    switch (message.op) {
      case "read":
        return { outcome: this.ledger.beginRead(message.engine_id, message.request_id, message.block_ids) };
      case "push":
        return this.receive(message.engine_id, message.prefix, message.tokens);
      case "done":
        return this.free(this.ledger.finishRead(message.request_id));
      case "release":
        return this.free(this.ledger.release(message.request_id));
    }
  }

  state(): KvExchangeState {
    const { issued, read, released, expired } = this.ledger.counts;
    return {
      handlesOutstanding: this.ledger.outstanding,
      handlesIssued: issued,
      handlesRead: read,
      handlesReleased: released,
      handlesExpired: expired,
      received: this.received.size,
    };
  }

  /** The engine is gone: nothing is answered or asked any more. */
  close(): void {
    this.closed = true;
    this.leases.set(Infinity);
    this.client.close();
  }

  // Prefill side -------------------------------------------------------------------------------------------

  private issueHandle(leg: Leg, atMs: number): void {
    const blockIds = this.driver.blocksOf(leg);
    const { requestId } = leg.spec;
    this.ledger.issue(requestId, leg.engineId, blockIds, atMs + this.leaseMs());
    this.leases.set(this.ledger.nextExpiryMs());
    leg.responseParams = handleParams({ engineId: this.engineId, requestId, blockIds, ...this.address });
  }

  /**
   * The client of a leg left in the very step in which its last token came out. Where the engine holds the blocks
   * all the same, nobody will read them: as in vLLM they go when the lease ends.
   */
  private letGo(leg: Leg, atMs: number): void {
    if (this.driver.blocksOf(leg).length === 0) return;
    if (leg.spec.intent.kind === "hold") this.issueHandle(leg, atMs);
    else this.driver.kvSent(leg.engineId);
  }

  private free(legId: number | null): SideAnswer {
    if (legId !== null) this.driver.kvSent(legId);
    return { outcome: legId === null ? "unknown" : "ok" };
  }

  private leaseMs(): number {
    return this.setup.knobs().kv_lease_ms ?? this.setup.heldKvTimeoutMs;
  }

  private expire(nowMs: number): void {
    const legs = this.ledger.expire(nowMs);
    this.setup.metrics.kvExpired(legs.length);
    for (const legId of legs) this.driver.kvSent(legId);
    this.leases.set(this.ledger.nextExpiryMs());
  }

  /** LMCache: sends the KV to the decode engine; the response waits until it is there. */
  private async push(leg: Leg, target: PushTarget, returnFirstToken: boolean): Promise<void> {
    const { tokens, promptTokens, root } = leg.spec;
    const answer = await this.client.call(target.host, target.port, {
      op: "push",
      engine_id: this.engineId,
      prefix: prefixKey(tokens, promptTokens, root),
      tokens: promptTokens,
    });
    if (this.closed) {
      this.driver.fail(leg, new ApiError(503, "The engine has been restarted."));
      return;
    }
    const nowMs = this.setup.clock.catchUp();
    this.driver.kvSent(leg.engineId);
    if (answer?.outcome !== "ok") {
      this.setup.metrics.kvLoadFailed(answer === null ? "unreachable" : answer.outcome);
      if (this.setup.knobs().kv_load_failure_policy === "fail") {
        this.driver.fail(leg, new ApiError(500, KV_LOST));
        return;
      }
    }
    if (returnFirstToken) leg.responseParams = { first_tok: tokens[promptTokens]! };
    this.driver.complete(leg, nowMs);
  }

  // Decode side --------------------------------------------------------------------------------------------

  private async pull(leg: Leg, handle: RemoteHandle, tokens: number): Promise<void> {
    const { engineId } = leg;
    if (this.setup.faults.nextKvFailure(this.setup.knobs())) {
      // In a task of its own: the engine is still telling what happened.
      await Promise.resolve();
      this.lost(leg, "injected");
      return;
    }
    const answer = await this.client.call(handle.host, handle.port, {
      op: "read",
      engine_id: handle.engineId,
      request_id: handle.requestId,
      block_ids: handle.blockIds,
    });
    if (this.closed || leg.engineId !== engineId) return;
    if (answer?.outcome !== "ok") {
      this.lost(leg, answer === null ? "unreachable" : answer.outcome);
      return;
    }
    const { transfers, link, linkOf, metrics } = this.setup;
    const bytes = this.bytes(tokens);
    transfers.start(linkOf(handle.engineId) ?? transfers.outside, link, bytes, (endMs, durationMs) => {
      if (this.closed) return;
      metrics.kvTransferred(bytes, durationMs);
      void this.client.call(handle.host, handle.port, { op: "done", request_id: handle.requestId });
      this.arrived(leg, endMs);
    });
  }

  private arrived(leg: Leg, atMs: number): void {
    if (this.closed) return;
    // vLLM computes the last prompt token again and counts all others as cached.
    leg.externalTokens = leg.spec.promptTokens - 1;
    this.driver.kvArrived(leg, atMs);
  }

  /** The KV of a leg cannot be had. */
  private lost(leg: Leg, reason: string): void {
    this.setup.metrics.kvLoadFailed(reason);
    if (leg.state === "open" && this.failsOn(leg)) return;
    if (leg.state === "open") this.setup.metrics.kvRecomputed();
    this.driver.startOverLocally(leg);
  }

  /** Ends a leg whose KV is lost, if the policy is to fail. */
  private failsOn(leg: Leg): boolean {
    if (this.setup.knobs().kv_load_failure_policy !== "fail") return false;
    this.setup.metrics.finished(leg, this.setup.clock.nowMs(), "error");
    this.driver.fail(leg, new ApiError(500, KV_LOST));
    return true;
  }

  private giveBack(handle: RemoteHandle): void {
    void this.client.call(handle.host, handle.port, { op: "release", request_id: handle.requestId });
  }

  private receive(senderId: string, prefix: string, tokens: number): Promise<SideAnswer> {
    const { transfers, link, linkOf, metrics } = this.setup;
    const bytes = this.bytes(tokens);
    return new Promise((resolve) => {
      transfers.start(linkOf(senderId) ?? transfers.outside, link, bytes, (endMs, durationMs) => {
        metrics.kvTransferred(bytes, durationMs);
        this.received.expire(endMs);
        this.received.add(prefix, endMs + this.leaseMs());
        resolve({ outcome: "ok" });
      });
    });
  }

  /** LMCache: whether the prompt, or the prompt without its last token (the first one generated), is here. */
  private takeReceived(spec: LegSpec): boolean {
    if (this.received.size === 0) return false;
    const { tokens, promptTokens, root } = spec;
    const names = [prefixKey(tokens, promptTokens - 1, root), prefixKey(tokens, promptTokens, root)];
    return this.received.take(names, this.setup.clock.nowMs());
  }

  /** Prompt tokens in whole blocks on the shared storage; the last token is always computed. */
  private storedTokens(spec: LegSpec): number {
    const { storage, blockSize } = this.setup;
    if (storage === null) return 0;
    const limit = Math.floor((spec.promptTokens - 1) / blockSize);
    return storage.leadingBlocks(hashBlocks(spec.tokens, blockSize, spec.root), limit) * blockSize;
  }

  /** The engine loads a whole prompt or nothing, so the storage must hold all blocks, and more than the cache. */
  private storageSaves(spec: LegSpec): boolean {
    const stored = this.storedTokens(spec);
    const whole = Math.floor((spec.promptTokens - 1) / this.setup.blockSize) * this.setup.blockSize;
    return stored > 0 && stored === whole && stored > this.driver.cachedTokens(spec);
  }

  /** vLLM moves whole blocks. */
  private bytes(tokens: number): number {
    const { blockSize, kvBytesPerToken } = this.setup;
    return Math.ceil(tokens / blockSize) * blockSize * kvBytesPerToken;
  }
}
