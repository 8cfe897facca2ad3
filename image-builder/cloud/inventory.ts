import { ImageError } from "../errors.ts"
import type { Manifest } from "../manifest.ts"

/** What the step `94-inventory` tells of an image. Bytes. */
export interface Inventory {
  kernel: string
  content: number
  disk: number
  packages: Manifest["packages"]
}

/** Reads the output of that step. Pure. */
export function readInventory(text: string): Inventory {
  const lines = text.trim().split("\n")
  const figure = (name: string) => lines.find(line => line.startsWith(`${name} `))?.slice(name.length + 1)
  const packages = lines.flatMap(line => (line.includes("\t") ? [line.split("\t") as [string, string]] : []))
  const [kernel, content, disk] = [figure("kernel"), Number(figure("content")), Number(figure("disk"))]
  if (!kernel || !(content > 0) || !(disk > 0) || packages.length === 0)
    throw new ImageError("no-inventory", "The builder did not say what is on the image; no image was made.")
  return { kernel, content, disk, packages: Object.fromEntries(packages) }
}
