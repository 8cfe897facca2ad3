import { type Command, Option } from "commander"
import { InfraError } from "../../infra/errors.ts"
import { STATES } from "../../service/workspaces/transitions.ts"
import { type Api, type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { confirmTyped } from "../confirm.ts"
import { type ManyOptions, type Outcome, onMany, reportMany, withMany } from "../on-many.ts"
import { acceptDirect } from "./drift-direct.ts"
import { acceptThrough } from "./drift-service.ts"
import { type Engine, isDirectVerb, listStacks, onStack, openEngine, requireService } from "./engine.ts"
import type { DirectOptions, ThroughOptions } from "./options.ts"
import { findFleet, isServiceVerb, requireDirect, throughService } from "./service.ts"

export interface WayOptions extends ApiOptions {
  direct?: boolean
}

interface VerbOptions extends WayOptions, ManyOptions {
  force?: boolean
  wait?: boolean
}

/** Does a command go through the service? It does where one is named, unless it is told not to. */
export const viaService = ({ direct, url }: WayOptions, env: NodeJS.ProcessEnv = process.env): boolean =>
  !direct && Boolean(url || env.FOOZOL_API_URL)

export const withWay = (command: Command): Command =>
  withUrl(command).option("--direct", "on the backend itself, without the service, though one is named")

/** What operators do to stacks: one, several, or all that are selected. */
const VERBS: { name: string; about: string; destroys?: true }[] = [
  { name: "stop", about: "stop workspaces; their disks stay" },
  { name: "start", about: "start workspaces" },
  { name: "retry", about: "do again what failed" },
  { name: "backup", about: "back workspaces up" },
  {
    name: "repair",
    about:
      "make workspaces' resources again what they shall be: nobody at the desktop notices, what is gone is not made",
  },
  { name: "refresh", about: "read workspaces' real resources into their state" },
  {
    name: "recover",
    about: "mend what a run that was cut off has left in a stack; makes and removes nothing at the provider",
  },
  { name: "unlock", about: "remove the lock of a stack whose engine run is proven dead" },
  {
    name: "destroy",
    about: "destroy workspaces with machine, disk, addresses and records, then their stacks",
    destroys: true,
  },
]

export function addVerbs(stack: Command): void {
  for (const { name, about, destroys } of VERBS) {
    const command = withWay(withMany(stack.command(`${name} [workspaces...]`).description(about)))
    if (destroys) command.option("--yes", "do not ask: their data is gone afterwards")
    if (name === "unlock")
      command.option("--force", "whoever holds it: only when you are sure that no engine run is working on it")
    if (isServiceVerb(name) && (name === "repair" || !isDirectVerb(name)))
      command.addOption(new Option("--no-wait", "return as soon as it is begun"))
    command.action((given: string[], options: VerbOptions) => perform(name, wayOf(name), given, options, destroys))
  }
  addAccept(stack)
}

interface AcceptOptions extends VerbOptions {
  difference: string
  reason?: string
  undo?: boolean
}

function addAccept(stack: Command): void {
  const about = "let a difference stay that was made on purpose: no repair takes it back, and no look tells of it"
  withWay(withMany(stack.command("accept [workspaces...]").description(about)))
    .requiredOption("--difference <id>", "its id, as `stack drift` shows it; with --all, wherever it is")
    .option("--reason <text>", "why, for whoever looks later")
    .option("--undo", "accept it no longer: it is a difference again")
    .addOption(new Option("--no-wait", "return as soon as it is begun"))
    .action((given: string[], options: AcceptOptions) => {
      const { difference, reason = "", undo = false } = options
      if (!undo && reason.trim() === "")
        throw new InfraError("no-reason", "fail", "Say with --reason why it shall stay: others will ask.")
      const acceptance = { difference, reason, undo }
      const isEverywhere = given.length === 0
      const where = (work: Promise<Outcome>, workspace: string) =>
        work.catch(error => {
          if (!isEverywhere || !["no-such-difference", "not-accepted"].includes(error.id)) throw error
          return { workspace, ok: true, result: "has none of that" }
        })
      const way: Way = {
        through: (api, workspace, how) => where(acceptThrough(api, workspace, acceptance, how), workspace),
        direct: (engine, workspace, how) => where(acceptDirect(engine, workspace, acceptance, how), workspace),
      }
      return perform("accept", way, given, options)
    })
}

/** How a verb is done: through the service, on the backend itself, or both. */
interface Way {
  through?: (api: Api, workspace: string, how: ThroughOptions) => Promise<Outcome>
  direct?: (engine: Engine, workspace: string, how: DirectOptions) => Promise<Outcome>
}

const wayOf = (verb: string): Way => ({
  ...(isServiceVerb(verb) ? { through: (api, workspace, how) => throughService(api, verb, workspace, how) } : {}),
  ...(isDirectVerb(verb) ? { direct: (engine, workspace, how) => onStack(engine, verb, workspace, how) } : {}),
})

async function perform(verb: string, way: Way, given: string[], options: VerbOptions, destroys = false): Promise<void> {
  const through = viaService(options)
  if (through && !way.through) requireDirect(verb)
  if (!through && !way.direct) requireService(`\`stack ${verb}\``)
  const workspaces = await chosen(given, options, through)
  const one = given.length === 1 ? given[0] : undefined
  if (destroys && !options.dryRun) {
    const what = one === undefined ? `${workspaces.length} workspaces` : one
    await confirmTyped(
      `This destroys ${what} with machines, disks and addresses.`,
      one ?? String(workspaces.length),
      options,
    )
  }
  const work = worker(way, options, through, one !== undefined)
  try {
    if (one !== undefined) return reportOne(await work.on(one), options)
    const say = options.json ? () => {} : (text: string) => console.error(text)
    reportMany(await onMany(workspaces, options, work.on, say), options)
  } finally {
    await work.close()
  }
}

function reportOne(outcome: Outcome, { json }: { json?: boolean }): void {
  if (!outcome.ok) process.exitCode = 1
  console.log(json ? JSON.stringify(outcome.detail ?? outcome, null, 2) : outcome.result)
}

/** The workspaces that a command is meant for. @throws InfraError `which`, `no-such-state` or `none-selected` */
async function chosen(
  given: string[],
  { all, state, search, ...options }: VerbOptions,
  through: boolean,
): Promise<string[]> {
  const selects = all || state !== undefined || search !== undefined
  if (given.length > 0 === Boolean(selects)) {
    throw new InfraError("which", "fail", "Name workspaces, or give --all, --state or --search.")
  }
  if (given.length > 0) return [...new Set(given)]
  if (state !== undefined && !STATES.some(one => one === state)) {
    throw new InfraError("no-such-state", "fail", `There is no state "${state}"; there are ${STATES.join(", ")}.`)
  }
  const found = through
    ? (await findFleet(openApi(options), { ...(state ? { state } : {}), ...(search ? { search } : {}) })).map(
        one => one.id,
      )
    : await stacksNamed(search, state)
  if (found.length > 0) return found
  throw new InfraError("none-selected", "fail", "No workspace is selected by that: nothing was done.")
}

async function stacksNamed(search = "", state?: string): Promise<string[]> {
  if (state !== undefined) requireService("--state")
  return (await listStacks()).map(one => one.name).filter(name => name.includes(search))
}

function worker({ through, direct }: Way, options: VerbOptions, isThrough: boolean, alone: boolean) {
  const { force = false, dryRun = false, wait = true, parallel } = options
  if (isThrough) {
    const api = openApi(options)
    const say = alone && !options.json ? { say: (text: string) => console.error(text) } : {}
    const on = async (workspace: string) =>
      through?.(api, workspace, { force, dryRun, wait, ...say }) ?? nothing(workspace)
    return { on, close: async () => {} }
  }
  const engine = openEngine(alone ? 1 : parallel)
  const quiet = !alone || Boolean(options.json)
  return {
    on: async (workspace: string) => direct?.(engine, workspace, { force, dryRun, quiet }) ?? nothing(workspace),
    close: () => engine.close(),
  }
}

/** `perform` has refused what cannot be done the way it is asked for. */
const nothing = (workspace: string): Outcome => ({ workspace, ok: false, result: "nothing was done" })
