import { z } from "zod"
import { certificateRows } from "../../../certificates/view.ts"
import { findFleet } from "../../../operators/desk.ts"
import type { Services } from "../../../services.ts"
import { type ApiRoute, route } from "../define.ts"

const time = z.iso.datetime()
const iso = (ms: number) => new Date(ms).toISOString()

export const CertificatesSchema = z
  .object({
    authorities: z.array(
      z.object({
        name: z.string(),
        directory: z.string(),
        most: z.int().meta({ description: "new names it gives certificates to in 7 days; 0: no such number" }),
        used: z.int().meta({ description: "of those, renewals not among them" }),
        asked: z.int().meta({ description: "of those used, how many have not come yet" }),
        left: z.number().meta({ description: "share that is left, 0 to 1" }),
        closed: z
          .enum(["down", "limit"])
          .nullable()
          .meta({ description: "what machines of several users were told within the hour" }),
      }),
    ),
    waiting: z.int().meta({ description: "workspaces that wait until an authority grants another new name" }),
    certificates: z
      .array(
        z.object({
          workspace: z.string(),
          owner: z.string(),
          login: z.string(),
          state: z.enum(["self-signed", "issued", "expired"]),
          issuer: z.string(),
          expiresAt: time,
          left: z.number().meta({ description: "share of its time that is left, 0 to 1" }),
          waits: z.object({ since: time, about: time }).nullable(),
          problem: z.object({ kind: z.string(), reason: z.string(), failures: z.int() }).nullable(),
          reportedAt: time.nullable(),
          isOn: z.boolean(),
        }),
      )
      .meta({ description: "as machines told of them last, the one that ends first before the others" }),
  })
  .meta({ id: "Certificates" })

/** `/operator/certificates`. */
export function operatorCertificateRoutes(services: Services): ApiRoute[] {
  const { certificates, now } = services
  return [
    route({
      ...{ tag: "Operators", forOperators: true, scope: "read" },
      ...{ id: "operatorListCertificates", method: "get", path: "/operator/certificates" },
      summary: "Certificates of all machines, and what authorities grant yet",
      query: z.object({
        troubled: z
          .enum(["true", "false"])
          .transform(text => text === "true")
          .optional()
          .meta({ description: "only those that wait, have expired, or whose last try failed" }),
      }),
      replies: { 200: { description: "All of them", schema: CertificatesSchema } },
      async handle({ query }) {
        const [fleet, authorities, waiting] = await Promise.all([
          findFleet(services, {}),
          certificates.authorities(),
          certificates.waiting(),
        ])
        const rows = certificateRows(fleet, now()).filter(
          one => !query.troubled || one.waits !== null || one.problem !== null || one.state === "expired",
        )
        const shown = rows.map(({ expiresAt, waits, reportedAt, problem, ...rest }) => ({
          ...{ ...rest, expiresAt: iso(expiresAt), reportedAt: reportedAt === null ? null : iso(reportedAt) },
          waits: waits && { since: iso(waits.since), about: iso(waits.about) },
          problem: problem && { kind: problem.kind, reason: problem.reason, failures: problem.failures },
        }))
        return { status: 200, body: { authorities, waiting, certificates: shown } }
      },
    }),
  ]
}
