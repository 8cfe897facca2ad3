import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { InfraError } from "../errors.ts"
import type { Secret } from "../secret.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { CallOptions, Snapshot } from "./contract.ts"
import { IMAGE_LABELS, type ProviderImages } from "./images.ts"

/** Where Google's Compute Engine is. */
export const GCP_ENDPOINT = "https://compute.googleapis.com/compute/v1"

/** A project of Google Cloud and the right to work on it. */
export interface GcpAccess {
  project: string
  zone: string
  /** As `gcloud auth print-access-token` prints it; good for an hour. */
  accessToken: Secret
  endpoint?: string
}

const Labelled = z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) })
const Image = Labelled.extend({
  description: z.string().default(""),
  status: z.string(),
  // Google writes 64-bit numbers as text.
  archiveSizeBytes: z.coerce.number().optional(),
  diskSizeGb: z.coerce.number().default(0),
  creationTimestamp: z.coerce.date(),
})
const Disk = z.object({ sourceImage: z.string().optional() })
const Operation = z.object({
  selfLink: z.string(),
  status: z.string(),
  error: z.object({ errors: z.array(z.object({ message: z.string() })) }).optional(),
})

/** Pause between two looks at a running operation, milliseconds. */
const POLL_MS = 1_000

/** Golden images at Google Cloud; their ids are their names. */
export function createGcpImages(access: GcpAccess): ProviderImages {
  const project = `${access.endpoint ?? GCP_ENDPOINT}/projects/${access.project}`

  async function request<T>(
    method: string,
    url: string,
    answer: z.ZodType<T>,
    options: CallOptions,
    body?: object,
  ): Promise<T | null> {
    const limits = [AbortSignal.timeout(30_000), ...(options.signal ? [options.signal] : [])]
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${access.accessToken.reveal()}`,
        ...(body ? { "content-type": "application/json" } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.any(limits),
    }).catch(error => {
      options.signal?.throwIfAborted()
      throw new InfraError(
        "provider-unreachable",
        "retry",
        "Google's Compute Engine could not be reached or did not answer: check the network, then try again.",
        String(error),
      )
    })
    if (response.ok) return answer.parse(await response.json())
    if (response.status === 404) return null
    throw refusal(response.status, (await response.text()).slice(0, 1_000))
  }

  /** All pages of a list. Selection by label is done here: projects have few images. */
  async function list<T>(path: string, items: (page: unknown) => unknown[], item: z.ZodType<T>, options: CallOptions) {
    const Page = z.looseObject({ nextPageToken: z.string().optional() })
    const all: T[] = []
    for (let token: string | undefined = ""; token !== undefined; ) {
      const page: z.output<typeof Page> | null = await request(
        "GET",
        `${project}/${path}?maxResults=500${token && `&pageToken=${encodeURIComponent(token)}`}`,
        Page,
        options,
      )
      all.push(...items(page).map(one => item.parse(one)))
      token = page?.nextPageToken
    }
    return all
  }

  const remove = (path: string, options: CallOptions) => change("DELETE", path, options)

  /** Succeeds where nothing is there. @throws InfraError with Google's words when it does not end well */
  async function change(method: string, path: string, options: CallOptions, body?: object): Promise<void> {
    let operation = await request(method, `${project}/${path}`, Operation, options, body)
    while (operation && operation.status !== "DONE") {
      await sleep(POLL_MS, undefined, options.signal ? { signal: options.signal } : {})
      operation = await request("GET", operation.selfLink, Operation, options)
    }
    const failed = operation?.error?.errors[0]
    if (failed) throw refusal(400, failed.message)
  }

  return {
    async list(labels, options = {}) {
      const images = await list("global/images", itemsOf, Image, options)
      return images
        .filter(image => Object.entries(labels).every(([key, value]) => image.labels[key] === value))
        .map(toSnapshot)
    },
    remove: (id, options = {}) => remove(`global/images/${id}`, options),
    async succeed(newest, family, older, options = {}) {
      // Only these of an image can be changed once it is made: its family, its description, and whether it is outdated.
      await change("PATCH", `global/images/${newest}`, options, { family })
      const replacement = `projects/${access.project}/global/images/${newest}`
      for (const { id } of older)
        await change("POST", `global/images/${id}/deprecate`, options, { state: "DEPRECATED", replacement })
    },
    async inUse(options = {}) {
      // An instance does not tell its image; its disk does.
      const disks = await list("aggregated/disks", aggregatedItems("disks"), Disk, options)
      return [...new Set(disks.flatMap(({ sourceImage }) => sourceImage?.split("/").at(-1) ?? []))]
    },
    async removeBuilder(builder, options = {}) {
      const instances = await list(`zones/${access.zone}/instances`, itemsOf, Labelled, options)
      const ours = instances.filter(
        ({ labels }) => labels[LABELS.managedBy] === MANAGER && labels[IMAGE_LABELS.builder] === builder,
      )
      for (const { name } of ours) await remove(`zones/${access.zone}/instances/${name}`, options)
    },
  }
}

const itemsOf = (page: unknown) => (page as { items?: unknown[] } | null)?.items ?? []

/** Items of a list over all zones, which has one list in each. */
const aggregatedItems = (kind: string) => (page: unknown) =>
  Object.values((page as { items?: Record<string, Record<string, unknown[]>> } | null)?.items ?? {}).flatMap(
    zone => zone[kind] ?? [],
  )

function toSnapshot(image: z.output<typeof Image>): Snapshot {
  return {
    id: image.name,
    state: image.status === "READY" ? "available" : image.status === "PENDING" ? "creating" : "unavailable",
    description: image.description,
    labels: image.labels,
    bytes: image.archiveSizeBytes ?? null,
    diskGb: image.diskSizeGb,
    createdAt: image.creationTimestamp,
  }
}

function refusal(status: number, detail: string): InfraError {
  if (status === 401 || status === 403)
    return new InfraError(
      "provider-unauthorized",
      "fail",
      "Google refused the access token: set GOOGLE_OAUTH_ACCESS_TOKEN to a new one (`gcloud auth print-access-token`; it is good for an hour) of an account that may administer Compute Engine.",
      detail,
    )
  if (status === 429 || status >= 500)
    return new InfraError("provider-failed", "retry", "Google's API failed: try again in a few minutes.", detail)
  return new InfraError(
    "provider-refused",
    "investigate",
    `Google refused the request: ${detail.slice(0, 300)}`,
    detail,
  )
}
