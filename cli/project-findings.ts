import { openProjects } from "../infra/cloud-config.ts"
import { toErrorValue } from "../infra/errors.ts"
import { MAIN_PROJECT } from "../infra/projects.ts"
import { newestReady, sameImageIn } from "../service/workspaces/images-at.ts"
import { PROFILES, type Profile } from "../service/workspaces/workspace.ts"
import { cloudConfig } from "./settings.ts"

export interface ProjectFinding {
  part: string
  state: "ok" | "optional"
  version: string
  from: string
}

/**
 * What each further project of the provider has of golden images: nothing is put into one that lacks them. Asks the
 * provider; empty where there is one project alone.
 */
export async function projectFindings(env: NodeJS.ProcessEnv = process.env): Promise<ProjectFinding[]> {
  if (!env.FOOZOL_PROJECTS) return []
  const { names, all, providerOf } = openProjects(cloudConfig(env))
  const images = configured(env)
  const further = names.filter(name => name !== MAIN_PROJECT && providerOf(name) === "hetzner")
  const find = async (profile: Profile, project: string) => {
    const main = images[profile] ?? (await newestReady(all, profile, MAIN_PROJECT))
    return main === null ? null : sameImageIn(all, profile, main, project)
  }
  return Promise.all(
    further.map(async (name): Promise<ProjectFinding> => {
      const part = `project ${name}`
      try {
        const found = await Promise.all(PROFILES.map(profile => find(profile, name)))
        const lacking = PROFILES.filter((_, at) => found[at] === null)
        if (lacking.length === 0) return { part, state: "ok", version: "", from: "has the golden images" }
        const from = `has no golden image of the main project's content for ${lacking.join(", ")}: nothing is put there`
        return { part, state: "optional", version: "", from }
      } catch (error) {
        return { part, state: "optional", version: "", from: toErrorValue(error).message }
      }
    }),
  )
}

function configured(env: NodeJS.ProcessEnv): Partial<Record<Profile, number>> {
  const set = PROFILES.map(profile => [profile, Number(env[`FOOZOL_IMAGE_${profile.toUpperCase()}`])] as const)
  return Object.fromEntries(set.filter(([, id]) => id > 0))
}
