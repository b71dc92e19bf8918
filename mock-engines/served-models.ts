import { ApiError } from "./http/api-error.js";
import { flag, text, type Body } from "./http/body-fields.js";

interface Adapter {
  readonly name: string;
  readonly path: string;
}

/** The model an engine serves and the LoRA adapters loaded on it (vLLM's OpenAIServingModels). */
export class ServedModels {
  readonly base: string;
  private readonly root: string;
  private readonly maxModelLen: number;
  private readonly created: number;
  private readonly adapters = new Map<string, Adapter>();

  constructor(base: string, root: string, maxModelLen: number) {
    this.base = base;
    this.root = root;
    this.maxModelLen = maxModelLen;
    this.created = Math.floor(Date.now() / 1000);
  }

  /**
   * What a request for `model` runs with: the name to answer with, and the adapter or null.
   *
   * @throws ApiError when it is not served here
   */
  resolve(model: string | null): { readonly name: string; readonly lora: string | null } {
    if (model === null || model === "" || model === this.base) return { name: this.base, lora: null };
    if (this.adapters.has(model)) return { name: model, lora: model };
    throw new ApiError(404, `The model \`${model}\` does not exist.`, "model");
  }

  load(body: Body): string {
    const { name, path } = { name: text(body, "lora_name"), path: text(body, "lora_path") };
    if (name === null || name === "" || path === null || path === "") {
      throw invalid("Both 'lora_name' and 'lora_path' must be provided.");
    }
    if (this.adapters.has(name) && !flag(body, "load_inplace")) {
      throw invalid(
        `The lora adapter '${name}' has already been loaded. If you want to load the adapter in place, ` +
          "set 'load_inplace' to True.",
      );
    }
    this.adapters.set(name, { name, path });
    return `Success: LoRA adapter '${name}' added successfully.`;
  }

  unload(body: Body): string {
    const name = text(body, "lora_name");
    if (name === null || name === "") {
      throw invalid("'lora_name' needs to be provided to unload a LoRA adapter.");
    }
    if (!this.adapters.delete(name)) {
      throw new ApiError(404, `The lora adapter '${name}' cannot be found.`);
    }
    return `Success: LoRA adapter '${name}' removed successfully.`;
  }

  /** How many adapters are loaded. */
  get loraCount(): number {
    return this.adapters.size;
  }

  /** `GET /v1/models`. */
  list(): object {
    const base = this.card(this.base, this.root, null, this.maxModelLen);
    const adapters = [...this.adapters.values()].map(({ name, path }) =>
      this.card(name, path, this.base, null),
    );
    return { object: "list", data: [base, ...adapters] };
  }

  private card(id: string, root: string, parent: string | null, maxModelLen: number | null): object {
    const { created } = this;
    const permission = {
      id: `modelperm-${id}`,
      object: "model_permission",
      created,
      allow_create_engine: false,
      allow_sampling: true,
      allow_logprobs: true,
      allow_search_indices: false,
      allow_view: true,
      allow_fine_tuning: false,
      organization: "*",
      group: null,
      is_blocking: false,
    };
    return {
      id,
      object: "model",
      created,
      owned_by: "vllm",
      root,
      parent,
      max_model_len: maxModelLen,
      permission: [permission],
    };
  }
}

function invalid(message: string): ApiError {
  return new ApiError(400, message, null, "InvalidUserInput");
}
