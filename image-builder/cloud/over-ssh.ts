import * as command from "@pulumi/command"
import * as pulumi from "@pulumi/pulumi"
import type { Builder, Provision } from "./builder.ts"
import { BUILDER_FILES, BUILDER_USER, type RemoteStep } from "./steps.ts"

/** Attempts to log in, at most 5 s apart: a new machine takes a minute or two until it knows our key. */
const DIALS = 120

/** The step whose output is the image's inventory. */
const INVENTORY = "94-inventory"

/** Provisioning over SSH: the files, then step after step, each a resource whose output is heard as it comes. */
export const overSsh =
  (steps: RemoteStep[], archive: string, port = 22): Provision =>
  ({ host, machine, keys, hash }: Builder) => {
    const connection = {
      host,
      port,
      user: BUILDER_USER,
      privateKey: pulumi.secret(keys.client.privateKey),
      hostKey: keys.host.publicKey,
      dialErrorLimit: DIALS,
    }
    const triggers = [hash]
    const copied = new command.remote.CopyToRemote(
      "files",
      { connection, source: new pulumi.asset.FileAsset(archive), remotePath: BUILDER_FILES, triggers },
      { dependsOn: [machine] },
    )
    let last: pulumi.Resource = copied
    let inventory: pulumi.Input<string> = ""
    for (const step of steps) {
      const done: command.remote.Command = new command.remote.Command(
        step.name,
        {
          connection,
          create: step.command,
          stdin: step.stdin,
          triggers,
          logging: step.name === INVENTORY ? command.remote.Logging.None : command.remote.Logging.StdoutAndStderr,
          // It would be offered to sshd as environment, which refuses it.
          addPreviousOutputInEnv: false,
        },
        { dependsOn: [last] },
      )
      if (step.name === INVENTORY) inventory = done.stdout
      last = done
    }
    return { done: [last], inventory }
  }
