import { join } from "node:path"
import { agentFolders } from "../conversations/folders.ts"
import { createFileWatch, type FileWatch } from "./files.ts"

/** Time one look at an agent's transcripts may take, in ms. */
const BUDGET_MS = 80

/**
 * When the coding agents' transcripts grew last: an agent that waits for its model uses no CPU, but it writes. Only
 * the folders of transcripts are looked at; tokens that are renewed beside them are nobody's work.
 * @param options.environment file with the workspace's variables, of which some say where agents write
 * @returns a function that answers the newest change of each agent in ms, for those that have any
 */
export function createTranscriptWatch(options: { home: string; environment: string; now: () => number }) {
  const { home, environment, now } = options
  const watches = new Map<string, { root: string; watch: FileWatch }>()

  async function roots(): Promise<Record<string, string>> {
    const { claude, codex, gemini } = await agentFolders(home, environment)
    return { claude: join(claude, "projects"), codex: join(codex, "sessions"), gemini: join(gemini, "tmp") }
  }

  return async (): Promise<Record<string, number>> => {
    const found: Record<string, number> = {}
    for (const [agent, root] of Object.entries(await roots())) {
      const known = watches.get(agent)
      const watch = known?.root === root ? known.watch : createFileWatch([root], now)
      watches.set(agent, { root, watch })
      const newest = await watch.look(BUDGET_MS)
      if (newest !== null) found[agent] = newest
    }
    return found
  }
}
