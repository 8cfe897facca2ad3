import type { Command } from "commander"
import { localUp, printStatus } from "./local.ts"

/** `foozol-cloud start` (`npm start`): everything on this machine, ending with a URL. */
export function addStart(program: Command): void {
  program
    .command("start")
    .description("set up and start everything on this machine")
    .action(async () => {
      const cloud = await localUp({ machines: "qemu" })
      printStatus()
      console.log(`\nReady: ${cloud.apiUrl.replace(/\/v1$/, "/")}`)
    })
}
