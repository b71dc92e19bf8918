import type { KitDialect } from "./kit-dialect.js";
import { lmcache } from "./lmcache.js";
import { mooncake } from "./mooncake.js";
import { nixl } from "./nixl.js";
import { nixlPush } from "./nixl-push.js";
import { sglang } from "./sglang.js";

/** Every dialect that the kit speaks, the default first. */
export const KIT_DIALECTS: readonly KitDialect[] = [nixl, nixlPush, lmcache, mooncake, sglang];
