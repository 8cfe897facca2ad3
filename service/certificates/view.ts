import type { Owned } from "../operators/fleet.ts"
import { lifeOf } from "./decide.ts"

/** Somebody's certificate, as operators see it. Times are ms since 1970. */
export interface CertificateRow {
  workspace: string
  owner: string
  /** Login name of who has it. */
  login: string
  state: "self-signed" | "issued" | "expired"
  issuer: string
  expiresAt: number
  /** Share of its time that is left, 0 to 1; a machine's own has all of it. */
  left: number
  /** Since when it waits until an authority grants another new name, and until when about; null: it does not. */
  waits: { since: number; about: number } | null
  /** Why the last try for another one failed. */
  problem: { kind: string; reason: string; failures: number } | null
  /** When its machine said so; one that is off says nothing and is behind. */
  reportedAt: number | null
  isOn: boolean
}

const ON = new Set(["PROVISIONING", "STARTING", "RUNNING", "IDLE"])

/** What machines have told of their certificates, the one that ends first before the others. Pure. */
export function certificateRows(all: Owned[], now: number): CertificateRow[] {
  return all
    .flatMap(({ workspace, login }) => {
      const { id, owner, certificate, certificateWait, reportedAt, state } = workspace
      if (certificate === null) return []
      const expiresAt = Date.parse(certificate.expiresAt)
      const left = Math.min(1, Math.max(0, (expiresAt - now) / lifeOf(certificate)))
      const isIssued = certificate.state === "issued"
      return {
        ...{ workspace: id, owner, login, issuer: certificate.issuer, expiresAt, reportedAt },
        // What has expired since it was told.
        state: isIssued && expiresAt <= now ? ("expired" as const) : certificate.state,
        left: certificate.state === "self-signed" ? 1 : left,
        waits: certificateWait,
        problem: certificate.problem,
        isOn: ON.has(state),
      }
    })
    .sort((one, other) => one.left - other.left || one.expiresAt - other.expiresAt)
}
