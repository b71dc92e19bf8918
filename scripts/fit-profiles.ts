/**
 * Regenerates src/engine/profiles from ../shared/data/step-times:
 *
 *     npx tsx scripts/fit-profiles.ts [STEP_TIMES_DIR]
 *
 * One module per profile, named after it, and registry.ts over all of them.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { fitAllProfiles } from "./fit-profiles/all-profiles.js";
import type { ProfileInShort } from "../src/engine/assemble-profile.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const data = process.argv[2] ?? `${root}/../shared/data/step-times`;
const folder = `${root}/src/engine/profiles`;

const profiles = await fitAllProfiles(data);
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) rmSync(`${folder}/${file}`);
for (const profile of profiles) await writeModule(`${profile.name}.ts`, profileModule(profile));
await writeModule("registry.ts", registryModule(profiles));
process.stdout.write(`${profiles.length} profiles in ${folder}\n`);

async function writeModule(file: string, code: string): Promise<void> {
  writeFileSync(`${folder}/${file}`, await format(code, { parser: "typescript", printWidth: 110 }));
}

function constantName(profile: ProfileInShort): string {
  return profile.name.replace(/[-.]+(.)/g, (_, letter: string) => letter.toUpperCase());
}

function profileModule(profile: ProfileInShort): string {
  return `import { assembleProfile } from "../assemble-profile.js";

/** Made by scripts/fit-profiles.ts. */
export const ${constantName(profile)} = assembleProfile(${JSON.stringify(profile)});
`;
}

function registryModule(all: readonly ProfileInShort[]): string {
  const imports = all.map((profile) => `import { ${constantName(profile)} } from "./${profile.name}.js";`);
  return `${imports.join("\n")}
import type { EngineProfile } from "../profile.js";

/** The built-in profiles, by name. Made by scripts/fit-profiles.ts. */
export const BUILTIN_PROFILES: readonly EngineProfile[] = [${all.map(constantName).join(", ")}];
`;
}
