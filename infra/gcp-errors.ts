import type { InfraError } from "./errors.ts"
import { type KnownError, knownError } from "./known-errors.ts"

/**
 * What Google says when it does not do something: the reason of an answer (`quotaExceeded`), the code of a failed
 * operation (`ZONE_RESOURCE_POOL_EXHAUSTED`), or what the engine's plugin prints of either. The first that fits decides.
 */
const KNOWN: KnownError[] = [
  [
    /rateLimitExceeded|RATE_LIMIT_EXCEEDED|RESOURCE_OPERATION_RATE_EXCEEDED|\bError 429\b/,
    "provider-rate-limited",
    "retry",
    "Google's request limit is used up for now: try again in a few minutes.",
  ],
  [
    /ZONE_RESOURCE_POOL_EXHAUSTED|does not have enough resources available|resourceNotAvailable|stockout/i,
    "provider-no-capacity",
    "retry",
    "Google has no room for this machine type in this zone now: choose another size or zone, or try again later.",
  ],
  [
    /quotaExceeded|QUOTA_EXCEEDED|Quota '[^']*' exceeded|limitExceeded/,
    "provider-limit",
    "fail",
    "A quota of the Google project is used up: remove something, or have the quota raised in Google's console (IAM & Admin, Quotas).",
  ],
  [
    /Deletion Protection is enabled|protected against deletion|deletionProtection/i,
    "protected",
    "fail",
    "The machine is protected from deletion: lift the protection first (`foozol-cloud stack destroy` does).",
  ],
  [
    /alreadyExists|RESOURCE_ALREADY_EXISTS|\bError 409\b.*already exists/,
    "name-taken",
    "investigate",
    "Google already has a resource of this name: an earlier run's answer was lost, or somebody made it by hand. `foozol-cloud stack show` lists what is the workspace's.",
  ],
  [
    /accessNotConfigured|SERVICE_DISABLED|has not been used in project|BILLING_DISABLED/,
    "provider-not-set-up",
    "fail",
    "An API or billing is off in the Google project: turn on Compute Engine, Cloud DNS and Cloud Billing (`gcloud services enable compute.googleapis.com dns.googleapis.com cloudbilling.googleapis.com`).",
  ],
  [
    /authError|Invalid Credentials|No credentials loaded|default credentials|invalid_grant|UNAUTHENTICATED|\bError 401\b/i,
    "provider-unauthorized",
    "fail",
    "Google takes nobody's credentials: give it those of a service account (GOOGLE_APPLICATION_CREDENTIALS) or a new token (GOOGLE_OAUTH_ACCESS_TOKEN).",
  ],
  [
    /Required '[^']*' permission|\bforbidden\b|PERMISSION_DENIED|insufficientPermissions/,
    "provider-unauthorized",
    "fail",
    "The account at Google may not do this: give it the roles that the documentation of Google Cloud names.",
  ],
  [
    /resourceInUse|RESOURCE_IN_USE|resourceNotReady|RESOURCE_NOT_READY|conditionNotMet|is already being used by|FINGERPRINT/i,
    "provider-busy",
    "retry",
    "Google is still busy with an earlier step: try again in a moment.",
  ],
  [
    /\bnotFound\b|RESOURCE_NOT_FOUND|\bError 404\b/,
    "provider-not-found",
    "investigate",
    "Google does not have what was asked for: `foozol-cloud stack refresh` takes note of what is gone.",
  ],
  [
    /backendError|internalError|INTERNAL_ERROR|UNAVAILABLE|\bError 5\d\d\b/,
    "provider-failed",
    "retry",
    "Google's API failed: try again in a few minutes.",
  ],
]

/** What Google said, as an error of ours; null for what is not known. @param said reason, code and message as one text */
export const googleError = (said: string): InfraError | null => knownError(KNOWN, said)
