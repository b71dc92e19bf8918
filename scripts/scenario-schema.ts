/**
 * `npm run schema`: writes scenarios/scenario.schema.json, which editors check scenario files against.
 */
import { writeFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import { scenarioJsonSchema } from "../src/scenario/json-schema.js";

const file = new URL("../scenarios/scenario.schema.json", import.meta.url);
const options = await resolveConfig(file);
writeFileSync(file, await format(JSON.stringify(scenarioJsonSchema()), { ...options, parser: "json" }));
