// Command schemagen writes schema.json and bridge-metadata.json, which the
// plugin then embeds: `schemagen schema --out DIR`.
package main

import (
	"context"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"foozol.cloud/tools/engine/hcloud/provider"
)

func main() {
	tfgen.MainWithMuxer("hcloud", provider.Info(context.Background(), []byte("{}")))
}
