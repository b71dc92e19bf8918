/** Where the NIXL side channels of PD engines listen: the scheme of Ray Serve LLM (#63679), and a check for collisions. */

/** First port of a leg that sets none; far enough apart that replicas on one host do not collide. */
export const DEFAULT_PORT_BASE = { prefill: 20_000, decode: 22_000 } as const;

const HIGHEST_PORT = 65_535;

/** Engines that are started alike on one host. */
export interface PortDeployment {
  readonly name: string;
  readonly host: string;
  readonly base: number;
  /** Replicas, or ranks of one data-parallel group. */
  readonly engines: number;
  /** What an engine's offset is made of: its data-parallel rank, or its replica rank x devices. */
  readonly offsetBy: "replica" | "data_parallel_rank";
  /** Devices of one replica: tensor x pipeline parallel size. */
  readonly devices: number;
  /** VLLM_NIXL_SIDE_CHANNEL_PORT: every engine of the deployment then gets this very port; null = by the scheme. */
  readonly explicitPort: number | null;
}

/** The ports of one engine, both ends included. */
export interface PortRange {
  readonly deployment: string;
  readonly host: string;
  /** Rank of the engine in its deployment. */
  readonly engine: number;
  readonly first: number;
  readonly last: number;
}

/** Ports that two engines of one host both want, both ends included. */
export interface PortCollision {
  readonly host: string;
  readonly first: number;
  readonly last: number;
  readonly between: readonly [PortRange, PortRange];
}

export interface PortPlan {
  readonly ranges: readonly PortRange[];
  readonly collisions: readonly PortCollision[];
}

/**
 * Port of an engine = base + offset; offset = data-parallel rank where there is one, else replica rank x devices. A
 * replica takes a port for each device, a data-parallel rank one. An explicit port wins.
 *
 * @throws RangeError where a range leaves 1..65535
 */
export function planPorts(deployments: readonly PortDeployment[]): PortPlan {
  const ranges = deployments.flatMap(rangesOf);
  const collisions: PortCollision[] = [];
  ranges.forEach((range, i) => {
    for (const other of ranges.slice(i + 1)) {
      const first = Math.max(range.first, other.first);
      const last = Math.min(range.last, other.last);
      if (range.host === other.host && first <= last) {
        collisions.push({ host: range.host, first, last, between: [range, other] });
      }
    }
  });
  return { ranges, collisions };
}

function rangesOf(deployment: PortDeployment): PortRange[] {
  const { name, host, base, engines, offsetBy, devices, explicitPort } = deployment;
  const width = explicitPort !== null || offsetBy === "data_parallel_rank" ? 1 : devices;
  return Array.from({ length: engines }, (_, engine) => {
    const first = explicitPort ?? base + engine * width;
    const last = first + width - 1;
    if (first < 1 || last > HIGHEST_PORT) {
      throw new RangeError(
        `${name}: engine ${engine} needs ports ${first} to ${last}, expected 1 to ${HIGHEST_PORT}`,
      );
    }
    return { deployment: name, host, engine, first, last };
  });
}
