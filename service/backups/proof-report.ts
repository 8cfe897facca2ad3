import { z } from "zod"

/** What a machine that tries a backup out has found. */
export const ProofReport = z.object({
  checks: z.array(z.object({ name: z.string().max(64), ok: z.boolean(), detail: z.string().max(500) })).max(50),
  /** How the files compare with the manifest on the disk; null: there is none, or it cannot be read. */
  manifest: z
    .object({
      digest: z.string().max(64),
      files: z.int().nonnegative(),
      /** With the same size and time as before, and another content. */
      damaged: z.array(z.string().max(500)).max(20),
      /** Gone, or changed by whoever works there between the manifest and the copy. */
      changed: z.int().nonnegative(),
    })
    .nullable(),
})
export type ProofReport = z.output<typeof ProofReport>

/** Share of sampled files that may have changed in the moment between the manifest and the copy. */
const MOST_CHANGED = 0.2

/**
 * What is wrong with a backup by the report of its trial, in words; null: nothing. Pure.
 * @param digest of the manifest that was written before the copy; null: none was, so files cannot be compared
 */
export function whatIsWrong(report: ProofReport, digest: string | null): string | null {
  const failing = report.checks.filter(check => !check.ok).map(check => `${check.name} (${check.detail})`)
  if (report.checks.length === 0) return "the machine made no checks."
  if (failing.length > 0) return `not all checks passed: ${failing.join(", ")}.`
  if (digest === null) return null
  const { manifest } = report
  if (manifest === null) return "the list of its files is not on its disk, or cannot be read."
  if (manifest.digest !== digest) return "the list of its files is not the one that was written before the backup."
  if (manifest.damaged.length > 0) return `files have another content than before: ${manifest.damaged.join(", ")}.`
  if (manifest.changed > manifest.files * MOST_CHANGED) {
    return `${manifest.changed} of ${manifest.files} sampled files are not there or not as they were.`
  }
  return null
}
