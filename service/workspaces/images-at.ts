import { type ImageId, imageIdOf } from "../../infra/image-id.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import { IMAGE_LABELS } from "../../infra/machines/images.ts"
import { MAIN_PROJECT } from "../../infra/projects.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Profile } from "./workspace.ts"

type Lists = Pick<Machines, "listSnapshots">

const list = (machines: Lists, profile: Profile, project: string, more: Record<string, string> = {}) =>
  machines.listSnapshots({ [LABELS.managedBy]: MANAGER, [IMAGE_LABELS.profile]: profile, ...more }, { project })

/**
 * Id of the newest golden image in a project that has passed its checks; null where there is none.
 * @param labels that it must carry too
 * @param without ids that do not count
 */
export async function newestReady(
  machines: Lists,
  profile: Profile,
  project: string,
  { labels = {}, without = [] }: { labels?: Record<string, string>; without?: string[] } = {},
): Promise<ImageId | null> {
  const [newest] = (await list(machines, profile, project, { [IMAGE_LABELS.state]: "ready", ...labels }))
    .filter(image => image.state === "available" && !without.includes(image.id))
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
  return newest ? imageIdOf(newest.id) : null
}

/**
 * Id of the image in a further project that has the content of the main one's; null where there is none. Where that one, as
 * the settings may name any, says nothing of its content, it is the newest there.
 */
export async function sameImageIn(
  machines: Lists,
  profile: Profile,
  main: ImageId,
  project: string,
  mainProject: string = MAIN_PROJECT,
): Promise<ImageId | null> {
  const ofMain = (await list(machines, profile, mainProject)).find(one => one.id === String(main))
  const hash = ofMain?.labels[IMAGE_LABELS.hash]
  return newestReady(machines, profile, project, hash === undefined ? {} : { labels: { [IMAGE_LABELS.hash]: hash } })
}
