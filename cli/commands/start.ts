import { type Command, Option } from "commander"
import { PROFILES, type ProfileName } from "../../image-builder/definition.ts"
import type { Runtime } from "../../local-cloud/runtime-file.ts"
import { createProgress, type Progress } from "../../tools/setup/progress.ts"
import { MINI_IMAGE, registerImage } from "../first-contents.ts"
import { prepareMachines } from "../instant-machines.ts"
import { readLocalCloud, stopLocalCloudProcess } from "../local-cloud-process.ts"
import { runningWorld, startWorld } from "../world.ts"
import { localUp } from "./local.ts"

interface StartOptions {
  profile: ProfileName[]
  machines: "qemu" | "none"
}

/** `foozol-cloud start` (`npm start`): everything on this machine, ending with a URL. */
export function addStart(program: Command): void {
  program
    .command("start")
    .description("set up and start everything on this machine; Ctrl-C stops it and keeps the data")
    .addOption(
      new Option("--profile <profiles...>", "golden images to have ready")
        .choices(Object.keys(PROFILES))
        .default(["browser"]),
    )
    .addOption(
      new Option("--machines <kind>", "`none` only pretends to boot machines")
        .choices(["qemu", "none"])
        .default("qemu"),
    )
    .action(async (options: StartOptions) => {
      // A signal that comes while things start is obeyed as soon as they can be stopped.
      const signalled = new Promise<void>(resolve => {
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve())
      })
      const already = await runningWorld()
      if (already) {
        console.log(`It runs already.\n\nReady: ${already}/`)
        return
      }
      const ranBefore = readLocalCloud() !== null
      const cloud = await localUp({ machines: options.machines })
      const progress = createProgress()
      try {
        const images: Partial<Record<ProfileName, number>> = {}
        for (const profile of options.profile) images[profile] = await imageFor(cloud, profile, progress)
        if (cloud.machines === "qemu") await prepareMachines(cloud, Object.values(images), progress)
        const world = await startWorld(cloud, images)
        console.log(
          `\nlog: ${world.logFile}\n\nReady: ${world.url}/\n\nCtrl-C stops it; workspaces stay and are found again.`,
        )
        const who = await Promise.race([signalled.then(() => "person"), world.ended.then(() => "service")])
        if (who === "service") {
          console.error(`The service has ended by itself; its log says why: ${world.logFile}`)
          process.exitCode = 1
        } else console.error("stopping …")
        await world.stop()
      } finally {
        if (!ranBefore) {
          await stopLocalCloudProcess()
          console.error(
            "stopped; machines go on running: `npx foozol-cloud local down --power-off` after a start ends them",
          )
        }
      }
    })
}

/** Id of the golden image of a profile at the local cloud; built, verified and made known there if it is not. */
async function imageFor(cloud: Runtime, profile: ProfileName, progress: Progress): Promise<number> {
  // Pretended machines boot nothing, so any image will do.
  if (cloud.machines === "none") {
    return registerImage(cloud, { name: MINI_IMAGE, directory: "/nonexistent", description: "pretended" })
  }
  // The builder is large, and needed here alone.
  const { ensureImage, registerGoldenImage } = await import("../golden-images.ts")
  return registerGoldenImage(cloud, profile, await ensureImage(profile, progress))
}
