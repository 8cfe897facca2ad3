import { spawn } from "node:child_process"
import { cloneArguments, GIT_ENVIRONMENT, type Repository } from "../../../infra/repositories/repository.ts"
import type { Run } from "../run.ts"
import { percentOf } from "./progress.ts"
import { TOKENS, type Verdict, verdictOf } from "./verdict.ts"

export type FetchResult = { ok: true } | ({ ok: false } & Verdict)

/** Brings a repository into the home and has it remembered there. @param told hears how far it is, in percent */
export type FetchRepository = (
  repository: Repository,
  told: (percent: number) => void,
  signal: AbortSignal,
) => Promise<FetchResult>

/** Runs a program as the workspace's user, in the home, with the workspace's environment; `hear` gets its errors. */
export type AsUser = (
  program: string,
  args: string[],
  how: { environment: Record<string, string>; hear: (text: string) => void; signal: AbortSignal },
) => Promise<number>

/** Characters of git's newest words that are kept. */
const KEPT = 8_192

/** In the home; rootfs/usr/lib/foozol/fetch-repository clones into it. */
const WORKSHOP = ".foozol-fetching"

const ENVIRONMENT = {
  ...GIT_ENVIRONMENT,
  // Programs that would ask are none either.
  GIT_ASKPASS: "",
  GIT_SSH_COMMAND:
    "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o ConnectTimeout=30 -o ServerAliveInterval=30 -o ServerAliveCountMax=4",
  // A host that has fallen silent is tried again.
  GIT_HTTP_LOW_SPEED_LIMIT: "1",
  GIT_HTTP_LOW_SPEED_TIME: "60",
  // Its words are read.
  LC_ALL: "C.UTF-8",
}

/** Where it is fetched from: a new machine has no SSH key, and where tokens are known https does as well. */
export const addressOf = ({ url, host }: Pick<Repository, "url" | "host">) =>
  TOKENS[host] === undefined ? url : url.replace(/^ssh:\/\/git@/, "https://")

/** What its folder is called, where that is free. */
export const nameOf = ({ path }: Pick<Repository, "path">) => path.replace(/^.*\//, "")

/** @param program `fetch-repository` of the rootfs */
export function fetchBy(program: string, asUser: AsUser): FetchRepository {
  return async (repository, told, signal) => {
    let said = ""
    const hear = (text: string) => {
      said = `${said}${text}`.slice(-KEPT)
      const percent = percentOf(text)
      if (percent !== null) told(percent)
    }
    const [url, name] = [addressOf(repository), nameOf(repository)]
    const clone = cloneArguments({ url, branch: repository.branch }, `${WORKSHOP}/${name}`)
    const code = await asUser(program, [name, url, ...clone], { environment: ENVIRONMENT, hear, signal })
    return code === 0 ? { ok: true } : { ok: false, ...verdictOf(said, repository) }
  }
}

const UNIT = "foozol-repository"

/** By systemd, in a unit of its own to which the desktop does not have to give way. */
export function asUserBySystemd(run: Run, runtimeDirectory: string): AsUser {
  return async (program, args, { environment, hear, signal }) => {
    // What an agent before this one has begun would be in the way.
    await run("systemctl", ["stop", `${UNIT}.service`])
    const properties = [
      "CPUWeight=20",
      ...["env", "secrets.env"].map(name => `EnvironmentFile=-${runtimeDirectory}/${name}`),
    ]
    const unit = ["--quiet", "--collect", "--pipe", "--wait", `--unit=${UNIT}`, "--description=Fetches the repository"]
    const own = ["--uid=user", "--gid=user", ...properties.map(property => `--property=${property}`)]
    // By `env`, over whatever the workspace's own variables say.
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    return spawned("systemd-run", [...unit, ...own, "/usr/bin/env", ...variables, program, ...args], { hear, signal })
  }
}

/** Runs a program to its end; -1 where it could not be begun or was ended. */
export function spawned(
  program: string,
  args: string[],
  { hear, signal, env }: { hear: (text: string) => void; signal: AbortSignal; env?: NodeJS.ProcessEnv },
): Promise<number> {
  return new Promise(resolve => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], signal, ...(env ? { env } : {}) })
    child.stderr.setEncoding("utf8").on("data", hear)
    child.once("error", error => hear(`error: ${error.message}\n`))
    child.once("close", code => resolve(code ?? -1))
  })
}
