import * as gcp from "@pulumi/gcp"
import * as pulumi from "@pulumi/pulumi"
import {
  type Build,
  type BuildOutputs,
  builderLabels,
  builderUserData,
  imageDescription,
  imageLabels,
} from "./builder.ts"

/** Where a builder stands at Google Cloud, and how large it is. `diskGb` is the least a machine's disk can have. */
export interface GcpPlace {
  project: string
  zone: string
  size: string
  diskGb: number
}

/**
 * A golden image at Google Cloud: a builder that SSH reaches from one address alone, and an image of its disk. The
 * stage `candidate` turns the builder off before it makes the image.
 */
export const gcpImageProgram =
  (build: Build, place: GcpPlace) => async (): Promise<BuildOutputs & Record<string, unknown>> => {
    const { project, zone } = place
    const region = zone.replace(/-[a-z]$/, "")
    const labels = builderLabels(build)
    // The project's default network lets SSH in from everywhere; this one lets in what the rule says.
    const network = new gcp.compute.Network("foozol-builder", { project, autoCreateSubnetworks: false })
    const subnetwork = new gcp.compute.Subnetwork("foozol-builder", {
      project,
      region,
      network: network.id,
      ipCidrRange: "10.99.0.0/28",
    })
    const firewall = new gcp.compute.Firewall("foozol-builder", {
      project,
      network: network.id,
      direction: "INGRESS",
      allows: [{ protocol: "tcp", ports: ["22"] }],
      sourceRanges: [`${build.operator}/32`],
    })
    // An address of its own: one that went with the power would look like another host to the steps that are done.
    const address = new gcp.compute.Address("foozol-builder", { project, region, labels })
    const instance = new gcp.compute.Instance(
      "foozol-builder",
      {
        project,
        zone,
        labels,
        machineType: place.size,
        bootDisk: {
          autoDelete: true,
          initializeParams: { image: "ubuntu-os-cloud/ubuntu-2404-lts-amd64", size: place.diskGb, type: "pd-balanced" },
        },
        networkInterfaces: [{ subnetwork: subnetwork.id, accessConfigs: [{ natIp: address.address }] }],
        // No service account: there is no credential of the cloud on a builder.
        metadata: pulumi.secret({ "user-data": builderUserData(build.keys), "block-project-ssh-keys": "true" }),
        desiredStatus: build.stage === "builder" ? "RUNNING" : "TERMINATED",
      },
      { dependsOn: [firewall] },
    )
    const { done, inventory } = build.provision({
      host: address.address,
      machine: instance,
      keys: build.keys,
      hash: build.hash,
    })
    if (build.stage === "builder") return { builderId: instance.name, imageId: null, inventory }
    const image = new gcp.compute.Image(
      `foozol-image-${build.profile}`,
      {
        project,
        sourceDisk: instance.bootDisk.apply(disk => disk.source),
        description: imageDescription(build),
        labels: imageLabels(build, build.stage),
      },
      // It outlives its builder, and the stack of both.
      { dependsOn: [instance, ...done], retainOnDelete: true },
    )
    return { builderId: instance.name, imageId: image.name, inventory }
  }
