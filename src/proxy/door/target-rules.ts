import { BlockList, isIP } from "node:net";
import { InputError } from "../../errors.js";
import type { WorkerUrl } from "../worker-url.js";

/** Addresses that are no engine's whatever is allowed: cloud metadata lives on link-local ones. */
const NEVER = new BlockList();
NEVER.addSubnet("169.254.0.0", 16, "ipv4");
NEVER.addSubnet("224.0.0.0", 4, "ipv4");
NEVER.addSubnet("0.0.0.0", 8, "ipv4");
NEVER.addSubnet("fe80::", 10, "ipv6");
NEVER.addSubnet("ff00::", 8, "ipv6");
NEVER.addAddress("::", "ipv6");

interface TargetRule {
  readonly text: string;
  matches(host: string): boolean;
  readonly ports: readonly [from: number, to: number];
}

/**
 * Which URLs may become workers at run time: those that a rule lets pass, or any where there are no rules,
 * but never one at a link-local, multicast or unspecified address.
 *
 * Rules are `HOST[:PORT[-PORT]]`, where HOST is a name, `*.suffix`, an address or a subnet such as
 * `10.0.0.0/8` or `[fd00::]/8`. A name is not resolved here: it matches by its text.
 */
export class TargetRules {
  private readonly rules: readonly TargetRule[];

  /** @throws InputError for a rule that is none. */
  constructor(rules: readonly string[]) {
    this.rules = rules.map(parseRule);
  }

  /** Why `url` may not become a worker, or null. */
  refusal(url: Pick<WorkerUrl, "id" | "origin" | "hostname">): string | null {
    const host = bare(url.hostname);
    if (isNever(host))
      return `${url.id} is at an address that no worker has (link-local, multicast or unspecified)`;
    const port = portOf(url.origin);
    const passes = this.rules.some((rule) => {
      const [from, to] = rule.ports;
      return port >= from && port <= to && rule.matches(host);
    });
    if (passes || this.rules.length === 0) return null;
    return `${url.id} is not allowed as a worker, expected one of ${this.rules.map(({ text }) => text).join(", ")}`;
  }
}

const RULE = /^(\*\.[\w.-]+|\[[0-9a-f:.]+\](?:\/\d+)?|[\w.-]+(?:\/\d+)?)(?::(\d+)(?:-(\d+))?)?$/i;

function parseRule(text: string): TargetRule {
  const [, pattern, first, last] = RULE.exec(text) ?? [];
  const from = Number(first ?? 1);
  const to = Number(last ?? first ?? 65535);
  if (pattern === undefined || from < 1 || to > 65535 || from > to) throw noRule(text);
  return { text, matches: hostMatcher(pattern.toLowerCase(), text), ports: [from, to] };
}

function hostMatcher(pattern: string, text: string): (host: string) => boolean {
  if (pattern.startsWith("*.")) {
    const suffix = pattern.slice(1);
    return (host) => host.endsWith(suffix) && host.length > suffix.length;
  }
  const [name, bits] = pattern.split("/") as [string, string | undefined];
  const address = bare(name);
  const family = isIP(address);
  if (family === 0) {
    if (bits !== undefined) throw noRule(text);
    return (host) => host === address;
  }
  const list = new BlockList();
  const width = family === 4 ? 32 : 128;
  if (Number(bits ?? width) > width) throw noRule(text);
  list.addSubnet(address, Number(bits ?? width), family === 4 ? "ipv4" : "ipv6");
  return (host) => isIP(host) === family && list.check(host, family === 4 ? "ipv4" : "ipv6");
}

function isNever(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && NEVER.check(host, family === 4 ? "ipv4" : "ipv6");
}

/** A host name in lower case, an IPv6 address without its brackets. */
function bare(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[|\]$/g, "");
}

function portOf(origin: string): number {
  const { port, protocol } = new URL(origin);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

function noRule(text: string): InputError {
  return new InputError(
    `--allow-worker: got ${text}, expected HOST, *.SUFFIX, an address or a subnet, with :PORT or :PORT-PORT if need be`,
  );
}
