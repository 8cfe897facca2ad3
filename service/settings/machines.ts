import { z } from "zod"
import { parseProjects } from "../../infra/projects.ts"
import { COMMON_HOSTS } from "../../infra/repositories/repository.ts"
import { parseWarm, type WarmKind } from "../warm/settings.ts"
import { list, name, whole } from "./shapes.ts"

/** Scripts may measure over TLS alone, and on this machine for tests. */
const PROBE = /^[a-z][a-z0-9-]{1,31}=(https:\/\/[\w.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d{1,5})?(\/[\w./-]*)?$/
const imageName = z.string().regex(/^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of an image at Google")

/** What machines are made of, how many at once, and which are kept ready. */
export const machines = {
  FOOZOL_DESKTOP_PORT: whole(1, 65_535).default(443).describe("port at which browsers reach machines"),
  FOOZOL_REPOSITORY_HOSTS: z
    .string()
    .transform(text => list(text.toLowerCase()))
    .pipe(
      z.array(
        z
          .string()
          .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be names of hosts, such as `github.com, git.example.com`"),
      ),
    )
    .default([...COMMON_HOSTS])
    .describe("hosts that workspaces may be made from git repositories of"),
  FOOZOL_REGIONS: z
    .string()
    .transform(list)
    .pipe(z.array(name))
    .default([])
    .describe("regions offered at Hetzner; empty: all"),
  FOOZOL_REGION_PROBES: z
    .string()
    .transform(list)
    .pipe(
      z.array(
        z.string().regex(PROBE, "must be REGION=URL, with spaces between, such as `fsn1=https://near.example.com`"),
      ),
    )
    .default([])
    .describe(
      "an address near each region (REGION=URL, with spaces between) by which browsers measure in the form how far it is, and are told the nearest; they ask there, so name what you trust; none: nothing is measured",
    ),
  FOOZOL_IMAGE_BROWSER: whole(1, 2 ** 52)
    .optional()
    .describe("image of the profile browser at Hetzner; the newest promoted one if unset"),
  FOOZOL_IMAGE_DESKTOP: whole(1, 2 ** 52)
    .optional()
    .describe("the same for the profile desktop"),
  FOOZOL_GCP_IMAGE_BROWSER: imageName
    .optional()
    .describe("image of the profile browser at Google; the newest promoted one if unset"),
  FOOZOL_GCP_IMAGE_DESKTOP: imageName.optional().describe("the same for the profile desktop"),
  FOOZOL_PROJECTS: z
    .string()
    .default("")
    .superRefine((text, context) => {
      try {
        parseProjects(text)
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message })
      }
    })
    .describe(
      "further projects of Hetzner for new workspaces when the one of HCLOUD_TOKEN is full: NAME=TOKEN, with spaces between",
    ),
  FOOZOL_PROJECT_WORKSPACES: whole(0, 1_000_000)
    .default(0)
    .describe("workspaces that may be in one project of the provider; 0: as many as its limits allow"),
  FOOZOL_WARM: z
    .string()
    .transform((text, context): WarmKind[] => {
      try {
        return parseWarm(text)
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message })
        return z.NEVER
      }
    })
    .default([])
    .describe(
      "spare machines that are kept ready for new workspaces: PROVIDER/REGION/SIZE/PROFILE=COUNT with semicolons between, such as `hetzner/fsn1/large/browser=2`; with =LEAST-MOST, such as `=1-6`, as many as were asked for in the busiest ten minutes of the last hour or of the coming one on one of the last seven days; none if unset",
    ),
  FOOZOL_WARM_MONTHLY: z.coerce
    .number()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe(
      "what spare machines may cost a month, all that there are at a time together, in the currency of the prices; 0: none are kept",
    ),
  FOOZOL_WARM_HOURS: whole(1, 24 * 90)
    .default(72)
    .describe("hours after which a spare machine that nobody took is thrown away and another one made"),
  FOOZOL_OPERATIONS_PER_PROVIDER: whole(1, 1000)
    .default(8)
    .describe("operations that may go on at once at one provider"),
  FOOZOL_ENGINE_CHILDREN: whole(1, 64).default(2).describe("engine runs that may go on at once in this process"),
  FOOZOL_ENGINE_SILENCE_SECONDS: whole(30, 24 * 3600)
    .default(600)
    .describe("after how long without a word an engine run is ended and tried again: the provider has forgotten it"),
  FOOZOL_READY_SECONDS: whole(10, 3600)
    .default(420)
    .describe("how long a machine may take to report ready before its creation or start has failed"),
  FOOZOL_PROVIDER_PATIENCE_SECONDS: whole(0, 24 * 3600)
    .default(900)
    .describe("how long an operation tries again by itself while the provider fails; 0: it fails at once"),
  FOOZOL_HOST_LOST_SECONDS: whole(60, 24 * 3600)
    .default(600)
    .describe(
      "after how long without a sign of life a host counts as lost where several share the engine's backend: its locks are removed",
    ),
}
