import { z } from "zod"
import { InfraError } from "./errors.ts"

/**
 * Projects of the provider: each has limits, images and a request budget of its own. The main one is `HCLOUD_TOKEN`'s and
 * has the DNS zone; `FOOZOL_PROJECTS` names further ones. A workspace is in one of them for ever.
 */

/** What the project of `HCLOUD_TOKEN` is called. Records, specs and labels leave it out. */
export const MAIN_PROJECT = "main"

/** Part of environment variables, keys in Redis and labels. */
export const ProjectName = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "must be 1 to 32 lower-case letters, digits and inner hyphens")

/** The name of a project, as a record or a spec says it. */
export const projectOf = ({ project }: { project?: string | undefined }): string => project ?? MAIN_PROJECT

/** As records and specs say it: the main one is left out. */
export const inProject = (name: string): { project?: string } => (name === MAIN_PROJECT ? {} : { project: name })

/**
 * Tokens by project out of `NAME=TOKEN NAME=TOKEN`.
 * @throws Error whose message completes "FOOZOL_PROJECTS …" and holds no token
 */
export function parseProjects(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  const parts = text.split(/[\s,]+/).filter(part => part !== "")
  for (const [at, part] of parts.entries()) {
    const [, name = "", token = ""] = /^([^=]*)=(.+)$/.exec(part) ?? []
    const what = `its part ${at + 1} `
    if (!ProjectName.safeParse(name).success || token.length < 8)
      throw new Error(`must be NAME=TOKEN, which ${what}is not`)
    if (name === MAIN_PROJECT) throw new Error(`must name further projects: ${what}is "main", which is HCLOUD_TOKEN's`)
    if (name in found) throw new Error(`must name each project once: ${what}is there before`)
    found[name] = token
  }
  return found
}

/** The environment variable of an engine run that holds a further project's token. */
export const tokenVariable = (project: string): string => `HCLOUD_TOKEN_${project.toUpperCase().replaceAll("-", "_")}`

/** The project of such a variable. */
export const projectOfVariable = (name: string): string =>
  name
    .replace(/^HCLOUD_TOKEN_/, "")
    .toLowerCase()
    .replaceAll("_", "-")

export const unknownProject = (project: string) =>
  new InfraError(
    "unknown-project",
    "investigate",
    `Something is in the provider's project "${project}", of which there is no token: nothing was touched. Name it in FOOZOL_PROJECTS again.`,
  )
