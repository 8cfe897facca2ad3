import type { Command } from "commander"
import { z } from "zod"
import { ImageSchema } from "../../service/routes/api/operator/upkeep.ts"
import { type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { printTable } from "../print-table.ts"
import { printJson } from "../workspace-output.ts"
import { addUpgrade } from "./upgrade.ts"

interface Options extends ApiOptions {
  json?: boolean
  profile?: string
  dryRun?: boolean
}
type Image = z.output<typeof ImageSchema>

/** What operators do with the golden images of a service, without a restart. */
export function addServiceImages(image: Command): void {
  const add = (name: string, about: string) =>
    withUrl(image.command(name).description(about)).option("--json", "print JSON, and nothing else")

  add("used", "golden images at the provider, and which new workspaces are made from (operators)").action(
    async (options: Options) => {
      const { images } = await openApi(options).call(
        "GET",
        "/operator/images",
        z.object({ images: z.array(ImageSchema) }),
      )
      show(images, options)
    },
  )
  for (const [name, about] of [
    ["promote", "make new workspaces from this image, whatever is newer or set (operators)"],
    ["demote", "make no new workspaces from this image any more (operators)"],
  ] as const) {
    const command = add(`${name} <image>`, about).option("--dry-run", "only say what would be done")
    if (name === "promote") command.option("--profile <profile>", "what it is for, of an image that does not say")
    command.action(async (id: string, { profile, dryRun, ...options }: Options) => {
      const sent = name === "promote" ? { body: profile ? { profile } : {} } : {}
      const place = `/operator/images/${encodeURIComponent(id)}/${name}${dryRun ? "?dryRun=true" : ""}`
      const found = await openApi(options).call("POST", place, ImageSchema, sent)
      if (!dryRun) return show([found], options)
      if (options.json) printJson({ would: name, image: found })
      else console.log(`would ${name} image ${found.id} for the profile ${found.profile}`)
    })
  }
  addUpgrade(add("rollout", "bring everybody to the newest images, wave by wave (operators)"), null)
}

function show(images: Image[], { json }: Options): void {
  if (json) {
    printJson(images)
    return
  }
  printTable(
    ["profile", "image", "made", "checked", "", ""],
    images.map(one => [
      ...[one.profile, one.id, one.createdAt ?? "", one.ready ? "yes" : "no", one.standing ?? ""],
      one.used ? "used" : "",
    ]),
  )
}
