import type { ProxyError } from "./error-body.js";
import type { JsonObject } from "./generation-api.js";
import { spliceJson } from "./json-splice.js";
import type { WorkerRoster } from "./workers/worker-roster.js";

/** What a client calls the models, and which of them there are. */
export class ModelNames {
  private readonly aliases: ReadonlyMap<string, string>;
  private readonly roster: WorkerRoster;
  /** s since 1970, as OpenAI's `created`. */
  private readonly sinceS: number;

  /** @param aliases Models by their other names. */
  constructor(aliases: ReadonlyMap<string, string>, roster: WorkerRoster, dateMs: number) {
    this.aliases = aliases;
    this.roster = roster;
    this.sinceS = Math.floor(dateMs / 1000);
  }

  /** Whether a body has to be looked at, on whatever route it comes. */
  get areLookedAt(): boolean {
    return this.aliases.size > 0 || this.roster.isByModel;
  }

  /** A body whose model is an alias, as workers get it: nothing but the name changes. Null: it is none. */
  withoutAlias(body: Buffer, json: JsonObject): { readonly body: Buffer; readonly json: JsonObject } | null {
    const { model: alias } = json;
    const model = typeof alias === "string" ? this.aliases.get(alias) : undefined;
    if (model === undefined) return null;
    return {
      body: spliceJson(body, [{ path: ["model"], value: JSON.stringify(model) }]),
      json: { ...json, model },
    };
  }

  /** OpenAI's list of models; null where workers do not name theirs, so that one of them has to be asked. */
  list(): object | null {
    const { models } = this;
    if (models.length === 0) return null;
    const card = { object: "model", created: this.sinceS, owned_by: "vllm", root: null, parent: null };
    return { object: "list", data: models.map((id) => ({ id, ...card })) };
  }

  private get models(): string[] {
    const { roster } = this;
    const models = roster.present().map((index) => roster.workers[index]!.model);
    return [...new Set(models)].filter((model) => model !== null);
  }
}

/**
 * What a request gets whose model nobody serves: statuses and words are production-stack's.
 *
 * @param model Empty: the request named none.
 */
export function unknownModel(model: string): ProxyError {
  if (model === "") {
    const message = "Invalid request: missing 'model' in request body.";
    return { status: 400, type: "BadRequestError", message };
  }
  const message = `Model '${model}' not found. Available models can be listed at /v1/models.`;
  return { status: 404, type: "NotFoundError", message };
}
