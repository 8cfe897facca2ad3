import type { Services } from "../services.ts"

type Means = Pick<Services, "workspaces" | "channel">

/** Tells a machine that what it is given has changed: the process it listens at sends it. One that is away asks when it comes. */
export const tellMachine = ({ channel }: Pick<Means, "channel">, workspace: string) =>
  channel.order(workspace, { type: "settings", data: {} })

/** Tells all machines of a user. */
export async function tellMachines(means: Means, user: string): Promise<void> {
  const all = await means.workspaces.listOf(user)
  await Promise.all(all.map(one => tellMachine(means, one.id)))
}
