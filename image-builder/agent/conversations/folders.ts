import { readFile } from "node:fs/promises"
import { join } from "node:path"

/** Variables by which coding agents are told where they keep what they know, with the place of each in the home. */
export const AGENT_FOLDERS = { CLAUDE_CONFIG_DIR: ".claude", CODEX_HOME: ".codex", GEMINI_CLI_HOME: "" } as const
type Variable = keyof typeof AGENT_FOLDERS

/** Where that is: in the home, on the workspace's disk, unless its owner has said otherwise. */
export const agentEnvironment = (home: string, env: Record<string, string> = {}): Record<Variable, string> =>
  Object.fromEntries(
    Object.entries(AGENT_FOLDERS).map(([name, place]) => [name, env[name] || join(home, place)]),
  ) as Record<Variable, string>

/** The same out of the file of the workspace's variables. */
export async function agentFolders(
  home: string,
  file: string,
): Promise<{ claude: string; codex: string; gemini: string }> {
  const text = await readFile(file, "utf8").catch(() => "")
  const given = Object.keys(AGENT_FOLDERS).flatMap(name => {
    const value = new RegExp(`^${name}="?([^"\n]+)"?$`, "m").exec(text)?.[1]
    return value === undefined ? [] : [[name, value]]
  })
  const found = agentEnvironment(home, Object.fromEntries(given) as Record<string, string>)
  return { claude: found.CLAUDE_CONFIG_DIR, codex: found.CODEX_HOME, gemini: join(found.GEMINI_CLI_HOME, ".gemini") }
}
