import { toErrorValue } from "../../../infra/errors.ts"
import { imageIdOf } from "../../../infra/image-id.ts"
import { projectOf } from "../../../infra/projects.ts"
import { noRoom } from "../../projects/projects.ts"
import { failureIn, type OperationRun, type Outcome } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { apply, destroyAll } from "./machine.ts"

/**
 * Makes a workspace's machine from its image, or from a backup, and everything around it: where a limit of the provider's
 * project is met on the way, in the next one.
 */
export async function create(run: OperationRun): Promise<Outcome> {
  run.step("check")
  // An earlier run was cut off on the way from one project to the next.
  if (run.operation.marks.leaving !== undefined) await goElsewhere(run)
  for (;;) {
    try {
      return await make(run)
    } catch (error) {
      if (failureIn(run, error).id !== "provider-limit") throw error
      await leave(run, error)
    }
  }
}

async function make(run: OperationRun): Promise<Outcome> {
  const source = run.operation.wish?.snapshot
  const change = source === undefined ? {} : { image: imageIdOf(source) }
  const { machineId, ipv4 } = await apply(run, change, () => run.step("resources"))
  // A machine that was a spare one has listened for long: it is told what is its owner's now.
  if (run.operation.wish?.spare) await run.means.channel.order(run.workspace.id, { type: "settings", data: {} })
  await waitUntilReady(run)
  return { machineId, ipv4 }
}

/** @throws ServiceError `no-room` where there is no other place: what was made stays for another try */
async function leave(run: OperationRun, error: unknown): Promise<void> {
  const { means, workspace, operation, log } = run
  const project = projectOf(workspace)
  const { message, detail } = toErrorValue(error)
  log.warn({ project, why: message, detail }, "a limit of the provider's project is met")
  await means.projects.limitMet(project)
  // Machines can be made of a backup in its own project alone.
  if (operation.wish?.snapshot !== undefined) throw noRoom()
  await means.projects.place(workspace.profile, elsewhere(run))
  await run.mark("leaving", project)
  await goElsewhere(run)
}

/**
 * Removes what was made in one project and has the workspace belong to another one. Cut off anywhere, it is done again:
 * only the step that changes the record takes the mark away.
 */
async function goElsewhere(run: OperationRun): Promise<void> {
  const { means, workspace } = run
  run.say("There is no room left where it was begun: it is made in another place.")
  await destroyAll(run)
  while ((await run.settle(await means.projects.place(workspace.profile, elsewhere(run)))) === "full");
  run.log.info({ from: projectOf(workspace), to: projectOf(run.workspace) }, "it is made in another project")
}

/** At the provider that was chosen. */
const elsewhere = ({ means, workspace }: OperationRun) => ({
  provider: workspace.provider,
  among: means.projects.at(workspace.provider).filter(name => name !== projectOf(workspace)),
})
