// Command pulumi-resource-hcloud is the Pulumi resource plugin for Hetzner
// Cloud. schema.json and bridge-metadata.json are written beside this file by
// schemagen before it is built; they are not committed.
package main

import (
	"context"
	_ "embed"

	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"foozol.cloud/tools/engine/hcloud/provider"
)

//go:embed schema.json
var schema []byte

//go:embed bridge-metadata.json
var metadata []byte

func main() {
	ctx := context.Background()
	pfbridge.MainWithMuxer(ctx, "hcloud", provider.Info(ctx, metadata), schema)
}
