import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { rootEnvironment } from "../as-root.ts"
import {
  COMMAND_LINES,
  COMMAND_LINES_WITH_SCRIPTS,
  NODE_VERSION,
  type Profile,
  PYTHON_PROGRAMS,
  packagesOf,
} from "../definition.ts"
import { readSteps, type Step, stepCommand, stepEnvironment } from "../provision.ts"

const here = dirname(fileURLToPath(import.meta.url))

/** What a golden image in a cloud is made on. */
export const BUILDER_SYSTEM = { distribution: "ubuntu", suite: "noble" } as const

/** What Hetzner calls its image of that system. */
export const HETZNER_SYSTEM = "ubuntu-24.04"

/** The user who may log in to a builder while it is one. */
export const BUILDER_USER = "builder"

/** Where the image's files are put on a builder. */
export const BUILDER_FILES = `/home/${BUILDER_USER}/files.tar.gz`

/** One command on a builder, and what it reads from its standard input. */
export interface RemoteStep {
  name: string
  command: string
  stdin: string
}

/**
 * Everything that makes a builder an image, in order: the local build's steps, and around them what that build does
 * from outside. The numbers of the files are the order.
 */
export async function cloudSteps(): Promise<Step[]> {
  const [shared, own] = await Promise.all([
    readSteps(join(here, "..", "provision")),
    readSteps(join(here, "provision")),
  ])
  return [...shared, ...own].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * The steps as commands for a host of Ubuntu 24.04. Pure.
 * @param registry where the builder gets npm packages
 * @param system another distribution, in tests alone
 */
export function remoteSteps(
  steps: Step[],
  profile: Profile,
  image: string,
  registry: string,
  system: { distribution: string; suite: string } = BUILDER_SYSTEM,
): RemoteStep[] {
  const environment = {
    ...stepEnvironment(profile, image, false),
    ...builderEnvironment(packagesOf(profile, system.distribution), system.suite),
    NODE_VERSION,
    NPM_REGISTRY: registry,
    COMMAND_LINES: COMMAND_LINES.join(" "),
    COMMAND_LINES_WITH_SCRIPTS: COMMAND_LINES_WITH_SCRIPTS.join(","),
    PYTHON_PROGRAMS: PYTHON_PROGRAMS.join("\n"),
  }
  return onBuilder(steps, environment)
}

/** What the steps of a builder itself ask for. Pure. */
export const builderEnvironment = (packages: string[], suite: string = BUILDER_SYSTEM.suite) => ({
  ...{ SUITE: suite, BUILDER: BUILDER_USER, FILES: BUILDER_FILES, PACKAGES: packages.join(" ") },
})

/** Steps as commands that become root first. Pure. */
export function onBuilder(steps: Step[], environment: Record<string, string>): RemoteStep[] {
  const words = ["sudo", "--non-interactive", "env", "-i", ...rootEnvironment, ...stepCommand(environment)]
  const command = words.map(quoted).join(" ")
  return steps.map(({ name, script }) => ({ name, command, stdin: script }))
}

/** A word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
