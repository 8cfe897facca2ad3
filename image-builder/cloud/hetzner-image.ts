import * as hcloud from "@pulumi/hcloud"
import * as pulumi from "@pulumi/pulumi"
import {
  type Build,
  type BuildOutputs,
  builderLabels,
  builderUserData,
  imageDescription,
  imageLabels,
} from "./builder.ts"
import { HETZNER_SYSTEM } from "./steps.ts"

/** Where a builder stands at Hetzner, and how large it is: the image needs a disk no smaller than its builder's. */
export interface HetznerPlace {
  region: string
  size: string
}

/**
 * A golden image at Hetzner: a builder that SSH reaches from one address alone, and a snapshot of it. The caller cuts
 * the builder's power between the stages `builder` and `candidate`: Pulumi knows no power state of a server.
 */
export const hetznerImageProgram =
  (build: Build, place: HetznerPlace) => async (): Promise<BuildOutputs & Record<string, unknown>> => {
    const labels = builderLabels(build)
    const key = new hcloud.SshKey("foozol-builder", { publicKey: build.keys.client.publicKey, labels })
    const firewall = new hcloud.Firewall("foozol-builder", {
      labels,
      rules: [
        { direction: "in", protocol: "tcp", port: "22", sourceIps: [`${build.operator}/32`], description: "SSH" },
      ],
    })
    const server = new hcloud.Server("foozol-builder", {
      labels,
      image: HETZNER_SYSTEM,
      serverType: place.size,
      location: place.region,
      firewallIds: [numericId(firewall)],
      // Without a key Hetzner would make a password and send it by mail.
      sshKeys: [key.id],
      userData: pulumi.secret(builderUserData(build.keys)),
    })
    const { done, inventory } = build.provision({
      host: server.ipv4Address,
      machine: server,
      keys: build.keys,
      hash: build.hash,
    })
    if (build.stage === "builder") return { builderId: server.id, imageId: null, inventory }
    const snapshot = new hcloud.Snapshot(
      `foozol-image-${build.profile}`,
      { serverId: numericId(server), description: imageDescription(build), labels: imageLabels(build, build.stage) },
      // It outlives its builder, and the stack of both.
      { dependsOn: [server, ...done], retainOnDelete: true },
    )
    return { builderId: server.id, imageId: snapshot.id, inventory }
  }

const numericId = (resource: pulumi.CustomResource) => resource.id.apply(Number)
