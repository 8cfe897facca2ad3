import type { Snapshot } from "../../infra/machines/contract.ts"

/** How many images of a profile are kept that no one uses: the newest, and one to go back to. */
const KEPT = 2

/** The image that may be taken as it is, out of those that carry its hash; the newest where there are more. Pure. */
export function readyImage(images: Snapshot[]): Snapshot | undefined {
  return newestFirst(images).find(image => image.state === "available")
}

/** Which images of a profile can go: the older ones, and of those never one in use. Pure. */
export function imagesToPrune(images: Snapshot[], inUse: string[]): Snapshot[] {
  return newestFirst(images)
    .slice(KEPT)
    .filter(({ id }) => !inUse.includes(id))
}

const newestFirst = (images: Snapshot[]) => images.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
