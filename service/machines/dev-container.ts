import { z } from "zod"
import { readDevContainer } from "../../infra/repositories/dev-container.ts"
import { readEntered, ServiceError } from "../errors.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { askMachine } from "./ask.ts"
import type { MachineChannel } from "./channel.ts"

/** The machine looks for the file within this; what is there already ends after its answer. */
const ANSWER_MS = 15_000

/** What a machine answers to the wish for a dev container. */
export const DevContainerAnswer = z.object({
  id: z.string().max(64),
  refusal: z.enum(["no-repository", "no-such", "unclear", "failed"]).nullable(),
})
type Refusal = NonNullable<z.output<typeof DevContainerAnswer>["refusal"]>

const WORDS: Record<Refusal, string> = {
  "no-repository": "Its machine has not fetched the repository, or that is not there any more.",
  "no-such": "The repository has no such file: choose one that it has.",
  unclear: "The repository has no dev container, or several: choose one.",
  failed: "Its machine could not note down which one is wanted: is its disk full?",
}

/**
 * Has a workspace's dev container made anew. The machine has reported that it has begun when this returns.
 * @param entered its devcontainer.json, that may be anything; empty: the one that there is
 * @throws ServiceError `bad-devcontainer`, `no-repository`, `asleep`, `machine-away`, `devcontainer-unanswered`, or why
 *   the machine could not
 */
export async function makeDevContainer(
  channel: MachineChannel,
  workspace: Pick<Workspace, "id" | "state" | "repository">,
  entered: string,
  waitMs = ANSWER_MS,
): Promise<void> {
  const config = readEntered(() => readDevContainer(entered))
  if (workspace.repository === null) {
    throw new ServiceError("no-repository", 409, "This workspace was not made from a repository, so it has none.")
  }
  const { refusal } = await askMachine(channel, workspace, {
    order: id => ({ type: "dev-container", data: { id, config } }),
    ...{ answer: "dev-container", schema: DevContainerAnswer, waitMs },
    unanswered: new ServiceError(
      "devcontainer-unanswered",
      409,
      "Its machine did not answer, or is of an image that cannot do this: upgrade it, or use devcontainer-again in a terminal.",
      { next: "investigate" },
    ),
  })
  if (refusal !== null) throw new ServiceError(`devcontainer-${refusal}`, 409, WORDS[refusal])
}
