import type { CallOptions, LabelSelector, Snapshot } from "./contract.ts"

/** Golden images of a provider, and the builders they are made on. One file per provider implements it. */
export interface ProviderImages {
  /** Images of our own that carry all these labels. */
  list(labels: LabelSelector, options?: CallOptions): Promise<Snapshot[]>
  /** Succeeds when it is gone already. */
  remove(id: string, options?: CallOptions): Promise<void>
  /**
   * Where images have families: the newest one becomes its family's, and the older ones say that it takes their place.
   * Machines can still be made from those. Repeated, it changes nothing.
   */
  succeed?(newest: string, family: string, older: Snapshot[], options?: CallOptions): Promise<void>
  /** Ids of the images that machines of this project were made from. */
  inUse(options?: CallOptions): Promise<string[]>
  /** Removes what carries the label of a builder and costs money, whatever the state knows of it. */
  removeBuilder(builder: string, options?: CallOptions): Promise<void>
}

/** Labels of golden images and their builders, beside `managed-by`. Google takes lower case alone. */
export const IMAGE_LABELS = {
  hash: "foozol-image",
  profile: "foozol-profile",
  state: "foozol-image-state",
  builder: "foozol-builder",
} as const

/** `candidate` until its checks have passed. */
export type ImageState = "candidate" | "ready"
