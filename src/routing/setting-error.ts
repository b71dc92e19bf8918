import { InputError } from "../errors.js";

/** A router setting is wrong. `path` leads to it from the `router` block, e.g. `["decider", "routing_threshold"]`. */
export class RouterSettingError extends InputError {
  readonly path: readonly string[];
  /** What is wrong with the value and what was expected, without the path. */
  readonly reason: string;

  constructor(path: readonly string[], reason: string) {
    super(`router.${path.join(".")}: ${reason}`, "PDB_ERR_ROUTER_SETTING");
    this.name = "RouterSettingError";
    this.path = path;
    this.reason = reason;
  }
}
