import { InfraError } from "./errors.ts"
import { googleError } from "./gcp-errors.ts"
import { errorDetail, type KnownError, knownError } from "./known-errors.ts"
import { scalewayError } from "./scaleway-errors.ts"

/** An error code of the provider in either wording of its plugin: `(code, id)`, or `Error code: code` on a line. */
const code = (...codes: string[]) => new RegExp(`(\\(|error code: )(${codes.join("|")})\\b`, "i")

/** What the engine and its plugins print, and what it means to us. The first pattern that fits decides. */
const KNOWN: KnownError[] = [
  [
    /no stack named .* found/,
    "stack-not-found",
    "fail",
    "There is no such stack: `foozol-cloud stack list` shows the ones there are.",
  ],
  [
    /currently locked by/,
    "stack-locked",
    "retry",
    "Another engine run is working on this stack, or one was killed: wait for it; `foozol-cloud stack unlock` removes the lock of one that is dead.",
  ],
  [
    /incorrect passphrase/,
    "wrong-passphrase",
    "fail",
    "The state passphrase is not the one this state was encrypted with; nothing was touched. Set FOOZOL_STATE_PASSPHRASE to the right one.",
  ],
  [
    /failed to load checkpoint/i,
    "state-unreadable",
    "investigate",
    "The engine's record of this workspace cannot be read; nothing was touched. `foozol-cloud stack recover` puts its newest backup in its place.",
  ],
  [
    /no space left on device/i,
    "disk-full",
    "investigate",
    "The disk that holds the engine's state is full: free some space, then try again; the run before this one can be resumed.",
  ],
  [
    /operation error S3|blob \(key .*\(code=(Unknown|PermissionDenied|FailedPrecondition|NotFound|DeadlineExceeded)\)|could not list bucket|unable to open bucket/i,
    "state-unreachable",
    "retry",
    "The storage of the engine's state did not do what it was asked: check FOOZOL_BACKEND_URL and its credentials, and whether it is up.",
  ],
  [
    /(no resource plugin|could not (find|load) plugin)[^\n]*\bgcp\b/i,
    "plugin-missing",
    "fail",
    "The gcp plugin of the engine is missing: put it into its folder of plugins (`pulumi plugin install resource gcp`), where get.pulumi.com can be reached.",
  ],
  [
    /no resource plugin|plugin .*not found|could not find plugin|could not load plugin/i,
    "plugin-missing",
    "fail",
    "The hcloud plugin of the engine is missing: run `npm run setup`.",
  ],
  [
    /\(unauthorized|\bunauthorized\b|unable to authenticate/i,
    "provider-unauthorized",
    "fail",
    "The provider refused the API token: set HCLOUD_TOKEN to a valid read-and-write token of the project.",
  ],
  [
    /entered token is invalid|Missing Hetzner Cloud API token|token.*must be exactly/i,
    "provider-unauthorized",
    "fail",
    "There is no usable API token: set HCLOUD_TOKEN to a read-and-write token of the project (64 characters).",
  ],
  [
    // Said of a plugin, which is spoken to by gRPC; providers are by HTTP.
    /error reading from server|transport is closing|code = Unavailable|exited prematurely|could not read plugin/,
    "engine-died",
    "retry",
    "A plugin of the engine was ended in the middle of a run; what it had done is recorded, run it again.",
  ],
  [
    /connection refused|no such host|network is unreachable|i\/o timeout|deadline exceeded|\bEOF\b|connection reset/i,
    "provider-unreachable",
    "retry",
    "The provider's API could not be reached or did not answer: check HCLOUD_ENDPOINT and the network (`foozol-cloud local status` for the local cloud), then try again.",
  ],
  [
    code("invalid_input"),
    "provider-refused",
    "investigate",
    "The provider refused what was asked for: what the workspace is made of may have been changed meanwhile; `foozol-cloud stack refresh` takes note of that.",
  ],
  [
    code("locked", "conflict"),
    "provider-busy",
    "retry",
    "The provider is still busy with an earlier action: try again in a moment.",
  ],
  [
    /rate_limit_exceeded|\b429\b/,
    "provider-rate-limited",
    "retry",
    "The provider's request limit is used up for now: try again in a few minutes.",
  ],
  [
    /uniqueness_error|already used|name is already/i,
    "name-taken",
    "investigate",
    "The provider already has a resource of this name: an earlier run's answer was lost, or somebody made it by hand. `foozol-cloud stack show` lists what carries the workspace's label.",
  ],
  [
    /resource_unavailable|placement_error/i,
    "provider-no-capacity",
    "retry",
    "The provider has no room for this machine type at this location now: choose another size or region, or try again later.",
  ],
  [
    /resource_limit_exceeded|limit.*exceeded/i,
    "provider-limit",
    "fail",
    "The provider project's limit for this kind of resource is reached: remove some, or have the limit raised.",
  ],
  [
    new RegExp(`${code("not_found").source}|reported that the resource did not exist`, "i"),
    "provider-not-found",
    "investigate",
    "Something the workspace is made of is gone at the provider: `foozol-cloud stack refresh` takes note of it, then run it again.",
  ],
  [
    /\(protected|is protected|error code: protected\b/i,
    "protected",
    "fail",
    "The machine is protected from deletion: `foozol-cloud stack destroy` lifts the protection first.",
  ],
  [
    /status code:? 5\d\d|(\(|error code: )(server_error|service_error|unavailable|maintenance|timeout|unknown_error)\b|action_failed/i,
    "provider-failed",
    "retry",
    "The provider's API failed: try again in a few minutes.",
  ],
]

/** The error behind a failed engine run, from what it printed. */
export function engineError(output: string): InfraError {
  const ofGoogle = /googleapi|\bgcp:|google/i.test(output) ? googleError(output) : null
  const ofScaleway = /scaleway-sdk-go/i.test(output) ? scalewayError(output) : null
  const known = ofGoogle ?? ofScaleway ?? knownError(KNOWN, output)
  if (known) return known
  const line = output
    .split("\n")
    .map(text => text.trim())
    .find(text => /^error:|\berror\b|^\* /i.test(text) && !/errors? occurred:$/.test(text))
  return new InfraError(
    "engine-failed",
    "investigate",
    `The engine failed: ${(line ?? "it printed nothing").slice(0, 300)}`,
    errorDetail(output),
  )
}
