// Package provider describes Hetzner Cloud to Pulumi: Hetzner's own Terraform
// provider behind Pulumi's bridge, with the tokens, names and types that the
// npm package @pulumi/hcloud expects. It is built only where Pulumi's own
// plugin download cannot be reached.
package provider

import (
	"context"

	"github.com/hetznercloud/terraform-provider-hcloud/hcloud"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// Version is set by the linker to the version of @pulumi/hcloud it serves.
var Version = "0.0.0"

// Info maps every resource and data source of the Terraform provider to
// hcloud:index/… tokens. metadata is what the schema step wrote, or an empty
// JSON object while it writes it.
func Info(ctx context.Context, metadata []byte) tfbridge.ProviderInfo {
	hcloud.Version = Version
	info := tfbridge.ProviderInfo{
		P: pfbridge.MuxShimWithPF(ctx,
			sdkv2.NewProvider(hcloud.Provider()),
			hcloud.NewPluginProvider()),
		Name:              "hcloud",
		DisplayName:       "Hetzner Cloud",
		Version:           Version,
		ResourcePrefix:    "hcloud",
		GitHubOrg:         "hetznercloud",
		TFProviderVersion: "1.60.1",
		MetadataInfo:      tfbridge.NewProviderMetadata(metadata),
		Config: map[string]*tfbridge.SchemaInfo{
			"token": {Secret: tfbridge.True()},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("hcloud_", "index", tokens.MakeStandard("hcloud")))
	numericIDsAsStrings(&info)
	info.SetAutonaming(255, "-")
	return info
}

// numericIDsAsStrings tells the bridge that the id of a resource is text to
// Pulumi even where Terraform's schema has a number; Pulumi knows no other ids.
func numericIDsAsStrings(info *tfbridge.ProviderInfo) {
	info.P.ResourcesMap().Range(func(name string, resource shim.Resource) bool {
		id, ok := resource.Schema().GetOk("id")
		if !ok || id.Type() == shim.TypeString {
			return true
		}
		if info.Resources[name].Fields == nil {
			info.Resources[name].Fields = map[string]*tfbridge.SchemaInfo{}
		}
		info.Resources[name].Fields["id"] = &tfbridge.SchemaInfo{Type: "string"}
		return true
	})
}
