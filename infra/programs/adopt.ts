import type { CustomResourceOptions } from "@pulumi/pulumi"
import type { Adoptions } from "./contract.ts"

/**
 * Options of a resource that may have to be taken in: imported as it is when it exists unrecorded, whatever it
 * differs in; the next run brings it to what the program says.
 * @param differs properties it may differ in; all where nothing is said
 */
export function adopting(
  adopt: Adoptions,
  name: string,
  options: CustomResourceOptions = {},
  differs: string[] = ["*"],
): CustomResourceOptions {
  const id = adopt[name]
  return id === undefined ? options : { ...options, import: id, ignoreChanges: differs }
}
