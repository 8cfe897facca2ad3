import { type Command, Option } from "commander"
import { InfraError } from "../infra/errors.ts"
import { PROFILES, PROVIDERS, SIZE_CLASSES } from "../service/workspaces/workspace.ts"
import type { OutputOptions } from "./workspace-output.ts"

/** What a new workspace shall be, as options say it. */
export interface WishOptions extends OutputOptions {
  name?: string
  profile?: string
  size?: string
  region?: string
  provider?: string
  repository?: string
  branch?: string
  folder?: string
  devcontainer?: string
  home?: string
  secret?: string[]
  proxyFrom?: string
}

/** The options of a new workspace, but for what it begins with. */
export const withWish = (command: Command): Command =>
  command
    .option("--name <name>", "what you call it (default: its id)")
    .addOption(new Option("--profile <profile>", "what it is for (default: browser)").choices(PROFILES))
    .addOption(new Option("--size <size>", "how large it is (default: large; medium at Google)").choices(SIZE_CLASSES))
    .option("--region <region>", "where it is (default: the first region of the provider)")
    .addOption(
      new Option("--provider <provider>", "whose machine it is (default: that of the region)").choices(PROVIDERS),
    )
    .option("--branch <branch>", "of the repository (default: as its host says)")
    .option("--folder <folder>", "of the repository, in which terminals begin (default: its root)")
    .option("--devcontainer <path>", "of a repository with several, the devcontainer.json that is meant")
    .option("--secret <variables...>", "secrets of this workspace alone: names of variables of your environment")
    .option("--proxy-from <variable>", "variable of your environment with the URL of the proxy it goes out through")

/** The wish as the API takes it; secrets come out of the environment, since arguments can be read by everybody. */
export function wishOf(options: WishOptions): object {
  const { name, profile, size, region, provider, home, secret = [], proxyFrom } = options
  const { repository, branch, folder, devcontainer } = options
  const parts = Object.entries({ branch, folder, devcontainer }).filter(([, text]) => text)
  const secrets = Object.fromEntries(secret.map(variable => [variable, fromEnvironment(variable)]))
  return {
    ...(name === undefined ? {} : { name }),
    ...(profile ? { profile } : {}),
    ...(size ? { sizeClass: size } : {}),
    ...(region ? { region } : {}),
    ...(provider ? { provider } : {}),
    ...(repository || parts.length > 0 ? { repository: { url: repository ?? "", ...Object.fromEntries(parts) } } : {}),
    ...(home ? { home: { workspace: home } } : {}),
    ...(secret.length > 0 ? { secrets } : {}),
    ...(proxyFrom ? { proxy: fromEnvironment(proxyFrom) } : {}),
  }
}

function fromEnvironment(variable: string): string {
  const value = process.env[variable]
  if (value) return value
  throw new InfraError("no-such-variable", "fail", `Your environment has no variable ${variable}: set and export it.`)
}
