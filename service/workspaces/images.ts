import type { Machines } from "../../infra/machines/contract.ts"
import { IMAGE_LABELS } from "../../infra/machines/images.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Config } from "../config.ts"
import { ServiceError } from "../errors.ts"
import type { Profile } from "./workspace.ts"

/** Milliseconds for which a look at the provider's images counts: each costs an API request. */
const FRESH_MS = 60_000

/** The golden images that machines are made from. */
export interface Images {
  /** Id of a profile's image at the provider; null while there is none. */
  find(profile: Profile): Promise<number | null>
  /** @throws ServiceError `no-image` */
  require(profile: Profile): Promise<number>
}

/** @param now clock in ms */
export function createImages({ images }: Config, machines: Machines, now: () => number): Images {
  const seen = new Map<Profile, { at: number; id: Promise<number | null> }>()

  /** The newest that has passed its checks. */
  async function look(profile: Profile): Promise<number | null> {
    const promoted = await machines.listSnapshots({
      [LABELS.managedBy]: MANAGER,
      [IMAGE_LABELS.profile]: profile,
      [IMAGE_LABELS.state]: "ready",
    })
    const [newest] = promoted
      .filter(image => image.state === "available")
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
    return newest ? Number(newest.id) : null
  }

  async function find(profile: Profile): Promise<number | null> {
    const configured = images[profile]
    if (configured !== undefined) return configured
    const known = seen.get(profile)
    if (known && now() - known.at < FRESH_MS) return known.id
    const asked = { at: now(), id: look(profile) }
    seen.set(profile, asked)
    asked.id.catch(() => seen.delete(profile))
    return asked.id
  }

  return {
    find,
    async require(profile) {
      const id = await find(profile)
      if (id !== null) return id
      throw new ServiceError(
        "no-image",
        503,
        `There is no golden image for the profile ${profile} yet: the operator has to build one.`,
        { next: "investigate" },
      )
    },
  }
}
