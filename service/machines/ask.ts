import { randomUUID } from "node:crypto"
import type { z } from "zod"
import { ServiceError } from "../errors.ts"
import { admits } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Answer, MachineChannel, Order } from "./channel.ts"

/**
 * Gives a machine an order that it answers, and waits for that.
 * @param given.order the order under an id, by which the answer is known
 * @param given.unanswered what is thrown where it stays silent
 * @throws ServiceError `asleep`, `machine-away`, or `unanswered`
 */
export async function askMachine<Said extends { id: string }>(
  channel: MachineChannel,
  { id: workspace, state }: Pick<Workspace, "id" | "state">,
  given: {
    order: (id: string) => Order
    answer: Answer
    schema: z.ZodType<Said>
    unanswered: ServiceError
    waitMs: number
  },
): Promise<Said> {
  if (!admits(state)) throw new ServiceError("asleep", 409, "It is not running: start it first.")
  const id = randomUUID()
  const start = `${given.answer} `
  const answer = Promise.withResolvers<Said>()
  const forget = await channel.waitFor(workspace, news => {
    const found = news.startsWith(start) ? given.schema.safeParse(JSON.parse(news.slice(start.length))) : null
    if (found?.success && found.data.id === id) answer.resolve(found.data)
  })
  const late = setTimeout(() => answer.reject(given.unanswered), given.waitMs)
  try {
    const heard = await channel.order(workspace, given.order(id))
    if (heard === 0) answer.reject(away())
    return await answer.promise
  } finally {
    clearTimeout(late)
    forget()
  }
}

const away = () =>
  new ServiceError("machine-away", 409, "Its machine is not connected at the moment: try again in a few seconds.", {
    next: "retry",
  })
