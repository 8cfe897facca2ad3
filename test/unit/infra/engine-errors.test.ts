import assert from "node:assert/strict"
import { engineError } from "../../../infra/engine-errors.ts"

/** What the engine and the provider printed in real failures, cut to the lines that matter. */
const SEEN: [string, string][] = [
  ["error: no stack named 'nope' found", "stack-not-found"],
  [
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
    "stack-locked",
  ],
  ["error: getting secrets manager: passphrase must be set: incorrect passphrase", "wrong-passphrase"],
  ["error: getting snapshot: failed to load checkpoint: place 1: unexpected end of JSON input", "state-unreadable"],
  ["error: failed to load checkpoint: EOF", "state-unreadable"],
  ["error: could not write checkpoint: write /state/x.json: no space left on device", "disk-full"],
  [
    "error: could not load plugin for hcloud provider: no resource plugin 'pulumi-resource-hcloud' found in the workspace",
    "plugin-missing",
  ],
  ["sdk-v2/provider2.go:566: sdk.helper_schema: unable to authenticate (unauthorized, 123)", "provider-unauthorized"],
  ["sdk.helper_schema: server name is already used (uniqueness_error, abc)", "name-taken"],
  ["sdk.helper_schema: limit of 3600 requests per hour reached (rate_limit_exceeded, abc)", "provider-rate-limited"],
  ["sdk.helper_schema: dial tcp 127.0.0.1:1: connect: connection refused", "provider-unreachable"],
  ["sdk.helper_schema: no capacity (resource_unavailable, abc)", "provider-no-capacity"],
  ["sdk.helper_schema: Service Unavailable (unavailable, abc)", "provider-failed"],
  ["* invalid input in field 'server_type': is the server's type already (invalid_input)", "provider-refused"],
  ["1 error occurred:\n\t* Item is locked (locked, abc)", "provider-busy"],
  // Some of the plugin's resources speak otherwise than the others.
  [
    "API request failed: An unexpected error was encountered during an API request.\n\ninjected fault\n\nError code: server_error\nStatus code: 503\nupdate failed",
    "provider-failed",
  ],
  [
    "API request failed: An unexpected error was encountered during an API request.\n\nzone not found\n\nError code: not_found\nStatus code: 404\nupdate failed",
    "provider-not-found",
  ],
  [
    "Resource provider reported that the resource did not exist while updating urn:pulumi:a::foozol-cloud::hcloud:index/server:Server::machine.",
    "provider-not-found",
  ],
  ["error: could not read plugin [/plugins/resource-hcloud/pulumi-resource-hcloud]: exit status -1", "engine-died"],
  ["error: rpc error: code = Unavailable desc = error reading from server: EOF", "engine-died"],
  // As Google's documentation and its plugin's source have them.
  [
    "error: googleapi: Error 403: Quota 'CPUS' exceeded.  Limit: 24.0 in region us-central1., quotaExceeded",
    "provider-limit",
  ],
  [
    "gcp:compute:Instance (machine): Error waiting for instance to create: The zone 'projects/p/zones/us-central1-a' does not have enough resources available to fulfill the request.",
    "provider-no-capacity",
  ],
  [
    "googleapi: Error 409: The resource 'projects/p/zones/z/instances/foozol-x' already exists, alreadyExists",
    "name-taken",
  ],
  [
    "gcp:compute:Instance (machine): Cannot delete instance foozol-x: instance Deletion Protection is enabled.",
    "protected",
  ],
  [
    "googleapi: Error 403: Required 'compute.instances.create' permission for 'projects/p', forbidden",
    "provider-unauthorized",
  ],
  ["googleapi: Error 404: The resource 'projects/p/global/images/x' was not found, notFound", "provider-not-found"],
  ["googleapi: Error 503: Internal error. Please try again, backendError", "provider-failed"],
  // As Scaleway's client for Go puts them, which its plugin prints.
  ["scaleway-sdk-go: quota exceeded(s): instance_ip has reached its quota (5/5)", "provider-limit"],
  ["scaleway-sdk-go: resource PRO2-XS is out of stock", "provider-no-capacity"],
  ["scaleway-sdk-go: resource instance_server with ID 1b-2 is in a transient state: stopping", "provider-busy"],
  ["scaleway-sdk-go: resource instance_image with ID 1b-2 is not found", "provider-not-found"],
  ["scaleway-sdk-go: insufficient permissions: write compute", "provider-unauthorized"],
  ["scaleway-sdk-go: denied authentication: api_key does not exist", "provider-unauthorized"],
  ["scaleway-sdk-go: precondition failed: resource is protected, disable the protection first", "protected"],
  ["scaleway-sdk-go: http error 503 Service Unavailable", "provider-failed"],
  ["scaleway-sdk-go: resource instance_server with ID 1b-2 is locked", "provider-refused"],
]

describe("engine-errors/engineError", () => {
  for (const [printed, id] of SEEN) it(`knows ${id}`, () => assert.equal(engineError(printed).id, id))
  it("keeps what it does not know for the operator", () => {
    const error = engineError("error: the moon is in the wrong phase")
    assert.equal(error.id, "engine-failed")
    assert.equal(error.next, "investigate")
    assert.match(error.message, /moon/)
  })
})
