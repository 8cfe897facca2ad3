/**
 * What set-up obtains, in which version. Changing a number here rebuilds it: the
 * cache is keyed by these pins and by the sources under `tools/engine/`.
 */

/** The Pulumi CLI; equal to `@pulumi/pulumi` in package.json, as the SDK and the engine speak one protocol. */
export const PULUMI_VERSION = "3.259.0"

/** The `hcloud` resource plugin; equal to `@pulumi/hcloud` in package.json, which asks the engine for it. */
export const HCLOUD_PLUGIN_VERSION = "1.32.1"

/** Oldest Go that builds the engine (the `go` line of tools/engine/pulumi/go.mod). */
export const GO_MINIMUM = "1.25"

/** Let's Encrypt's certificate authority for tests; equal to the version in tools/pebble/go.mod. Only tests use it. */
export const PEBBLE_VERSION = "2.10.1"
