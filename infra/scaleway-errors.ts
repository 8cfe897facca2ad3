import type { InfraError } from "./errors.ts"
import { type KnownError, knownError } from "./known-errors.ts"

/**
 * What Scaleway says when it does not do something: the type of an answer (`quotas_exceeded`), or what the engine's plugin
 * prints of it (Scaleway's client for Go puts types in words). The first that fits decides.
 */
const KNOWN: KnownError[] = [
  [
    /too_many_requests|too many requests|\bhttp error 429\b/i,
    "provider-rate-limited",
    "retry",
    "Scaleway's request limit is used up for now: try again in a few minutes.",
  ],
  [
    /out_of_stock|is out of stock|\bno (more )?capacity\b|\bshortage\b/i,
    "provider-no-capacity",
    "retry",
    "Scaleway has no room for this machine type in this zone now: choose another size or zone, or try again later.",
  ],
  [
    /quotas?_exceeded|quota\(?s?\)? exceeded|has reached its quota/i,
    "provider-limit",
    "fail",
    "A quota of the Scaleway organization is used up: remove something, or have the quota raised in Scaleway's console (Organization, Quotas).",
  ],
  [
    /\bprotected\b|deletion protection/i,
    "protected",
    "fail",
    "The machine is protected from deletion: lift the protection first (`foozol-cloud stack destroy` does).",
  ],
  [
    /already_exists|already exists/i,
    "name-taken",
    "investigate",
    "Scaleway already has a resource of this name: an earlier run's answer was lost, or somebody made it by hand. `foozol-cloud stack show` lists what is the workspace's.",
  ],
  [
    /denied_authentication|denied authentication|authentication[ _]required|\bhttp error 401\b/i,
    "provider-unauthorized",
    "fail",
    "Scaleway takes nobody's key: give it the secret key of an API key that is still there (SCW_SECRET_KEY).",
  ],
  [
    /permissions_denied|insufficient permissions|\bhttp error 403\b/i,
    "provider-unauthorized",
    "fail",
    "The API key may not do this at Scaleway: give its application the permission sets that the documentation of Scaleway names.",
  ],
  [
    /transient_state|transient state|in_use|resource_still_in_use|still in use/i,
    "provider-busy",
    "retry",
    "Scaleway is still busy with an earlier step: try again in a moment.",
  ],
  [
    /"type": ?"locked"|\blocked: |is locked\b/i,
    "provider-refused",
    "investigate",
    "Scaleway has locked this resource itself: its console says why, and its support lifts that.",
  ],
  [
    /unknown_resource|not_found|is not found|\bhttp error 404\b/i,
    "provider-not-found",
    "investigate",
    "Scaleway does not have what was asked for: `foozol-cloud stack refresh` takes note of what is gone.",
  ],
  [
    /\bhttp error 5\d\d\b|internal[ _]error/i,
    "provider-failed",
    "retry",
    "Scaleway's API failed: try again in a few minutes.",
  ],
]

/** What Scaleway said, as an error of ours; null for what is not known. @param said type and message as one text */
export const scalewayError = (said: string): InfraError | null => knownError(KNOWN, said)
