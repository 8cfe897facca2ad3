import type { BuilderOffer } from "../../image-builder/cloud/builder-offer.ts"
import type { AppSource, ProfileName } from "../../image-builder/definition.ts"
import type { CloudImageReport } from "./build.ts"
import type { ImagePlace } from "./provider.ts"

interface Planned {
  place: ImagePlace
  profile: ProfileName
  builder: BuilderOffer
  from: string
  app: AppSource | undefined
}

/** What a build makes and costs, a line each. Pure. */
export function planText({ place, profile, builder, from, app }: Planned): string[] {
  const { size, region, currency, hourly, imageGbMonthly } = builder
  const kept =
    imageGbMonthly === null
      ? "an image, which Google bills by its size"
      : `a snapshot, ${rounded(imageGbMonthly)} ${currency} a month for each GB of it`
  const shown = app?.kind === "npm" ? app.package : app?.url
  return [
    `Golden image "${profile}" in the project ${place.project} at ${place.provider.name}, unless one of this content is there:`,
    `- while it is built, a builder: ${size} in ${region}, about ${rounded(hourly)} ${currency} an hour. SSH reaches it from ${from} alone. It goes away at the end, however that is, and at Ctrl-C.`,
    `- what stays: ${kept}. Older images stay too.`,
    ...(profile === "desktop"
      ? [`- app: ${shown ?? "none (--app names one); the desktop shows a page that says what there is"}.`]
      : []),
    "Prices are the provider's of today, before tax.",
  ]
}

const SETTINGS = { hetzner: "FOOZOL_IMAGE", gcp: "FOOZOL_GCP_IMAGE" } as const

/** How an image that is there comes to be used, a line each. Pure. */
export function useText({ provider, project, main, profile, isNew }: CloudImageReport, image: string): string[] {
  if (project !== main)
    return [
      `New workspaces in the project ${project} are made from it while the image that the project ${main} uses has the same content: build that from this checkout too.`,
    ]
  const setting = `${SETTINGS[provider]}_${profile.toUpperCase()}`
  return [
    `The service makes new workspaces from the newest image of a profile, within a minute, unless ${setting} names one or an operator has chosen one.`,
    `To choose this one: \`foozol-cloud image promote ${image}\` (no restart), or ${setting}=${image} for the service.`,
    ...(isNew
      ? [
          `No machine has been made from it yet: try it with a workspace. \`foozol-cloud image demote ${image}\` takes it out of use.`,
        ]
      : []),
  ]
}

/** A price with two digits that say something. */
const rounded = (price: number) => (price >= 1 ? price.toFixed(2) : String(Number(price.toPrecision(2))))
