import type { Context } from "./context.ts"
import { byName } from "./state/keys.ts"
import type { ImageRecord } from "./state/records.ts"

const GB = 1_000_000_000

/** Project of what belongs to everybody. */
export const SYSTEM = "system"

/**
 * Makes an image of a folder (see `Machines.importImage`) known to every project under a name. The one that had the
 * name before keeps its id and servers, and loses the name.
 */
export async function registerImage(
  { store, machines, now }: Context,
  about: {
    name: string
    directory: string
    description: string
    architecture: "x86" | "arm"
    os_flavor: string
    os_version: string | null
  },
): Promise<ImageRecord> {
  const id = store.nextId()
  const { bytes, diskBytes } = await machines.importImage(id, about.directory)
  const image: ImageRecord = {
    id,
    project: SYSTEM,
    created: now(),
    labels: {},
    type: "system",
    status: "available",
    name: about.name,
    description: about.description || about.name,
    imageSize: bytes / GB,
    diskSize: Math.ceil(diskBytes / GB),
    createdFrom: null,
    boundTo: null,
    architecture: about.architecture,
    osFlavor: about.os_flavor,
    osVersion: about.os_version,
    protection: { delete: false },
  }
  store.transaction(() => {
    for (const known of store.find("image", byName(SYSTEM, about.name)))
      if (known.architecture === about.architecture) store.put("image", { ...known, name: `${about.name}-${known.id}` })
    store.put("image", image)
  })
  return image
}
