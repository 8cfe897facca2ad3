import type * as pulumi from "@pulumi/pulumi"
import { IMAGE_LABELS, type ImageState } from "../../infra/machines/images.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Manifest } from "../manifest.ts"
import type { BuilderKeys } from "./builder-keys.ts"
import { BUILDER_USER } from "./steps.ts"

/** How far a build has come: the builder at work, then off and its image made, then the image found good. */
export type Stage = "builder" | ImageState

/** What a provider's image program makes. */
export interface Build {
  /** Names the stack, and labels all that goes away with it. */
  stack: string
  profile: Manifest["profile"]
  hash: string
  stage: Stage
  /** The only IPv4 address from which the builder can be reached. */
  operator: string
  keys: BuilderKeys
  provision: Provision
}

/** A builder that runs. */
export interface Builder {
  host: pulumi.Input<string>
  machine: pulumi.Resource
  keys: BuilderKeys
  hash: string
}

/** Makes a builder what its image shall be; the image is made when all of `done` are. */
export type Provision = (builder: Builder) => { done: pulumi.Resource[]; inventory: pulumi.Input<string> }

/** What every image program exports; `imageId` once there is an image. */
export interface BuildOutputs {
  builderId: pulumi.Input<string>
  imageId: pulumi.Input<string> | null
  inventory: pulumi.Input<string>
}

export function builderLabels({ stack, hash }: Pick<Build, "stack" | "hash">): Record<string, string> {
  return { [LABELS.managedBy]: MANAGER, [IMAGE_LABELS.builder]: stack, [IMAGE_LABELS.hash]: hash }
}

export function imageLabels({ profile, hash }: Pick<Build, "profile" | "hash">, state: ImageState) {
  return {
    [LABELS.managedBy]: MANAGER,
    [IMAGE_LABELS.profile]: profile,
    [IMAGE_LABELS.hash]: hash,
    [IMAGE_LABELS.state]: state,
  }
}

export const imageDescription = ({ profile, hash }: Pick<Build, "profile" | "hash">) =>
  `Golden image, profile ${profile}, ${hash}`

/**
 * What cloud-init makes of a builder: one user with our key, and a host key that we know. Both clouds' Ubuntu reads it,
 * and with it no user of the image's own is made.
 */
export function builderUserData({ client, host }: BuilderKeys): string {
  const user = {
    name: BUILDER_USER,
    uid: 1999,
    shell: "/bin/bash",
    sudo: "ALL=(ALL) NOPASSWD:ALL",
    lock_passwd: true,
    ssh_authorized_keys: [client.publicKey],
  }
  const config = {
    users: [user],
    disable_root: true,
    ssh_pwauth: false,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: host.privateKey, ed25519_public: host.publicKey },
  }
  // JSON is YAML as well.
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`
}
