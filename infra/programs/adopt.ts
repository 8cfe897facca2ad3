import type { CustomResourceOptions } from "@pulumi/pulumi"
import type { Adoptions } from "./contract.ts"

/**
 * Options of a resource that may have to be taken in: imported as it is when it exists unrecorded, whatever it
 * differs in; the next run brings it to what the program says.
 */
export function adopting(adopt: Adoptions, name: string, options: CustomResourceOptions = {}): CustomResourceOptions {
  const id = adopt[name]
  return id === undefined ? options : { ...options, import: id, ignoreChanges: ["*"] }
}
