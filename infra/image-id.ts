import type { WorkspaceSpec } from "./workspace-spec.ts"

/** What an image or a snapshot is called where a machine is made from it: a number at Hetzner, a name elsewhere. */
export type ImageId = WorkspaceSpec["image"]

/**
 * An id of the provider's, as lists and labels have it, in the shape that specs and records want. No provider's names
 * are digits alone, so the shape tells whose it is, and records from before there were names stay what they are.
 */
export const imageIdOf = (id: string | ImageId): ImageId => (/^\d+$/.test(String(id)) ? Number(id) : id)

/**
 * What requests may name an image, a snapshot or a backup by. Ids are opaque: whether there is one, the provider's list
 * says.
 */
export const IMAGE_ID_PATTERN = /^[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?$/
