/** Where the driver meets the host's network: what is done differently for machines with addresses of their own. */
import { join } from "node:path"
import type { MachineConfig } from "../../contract.ts"
import type { QemuContext } from "../context.ts"
import { wantedForwards } from "../forwards.ts"
import { machineFiles } from "../qemu-arguments.ts"
import type { RunningMachine } from "../running.ts"

/** Connects a machine that is about to start. */
export async function plugIn({ network, machines }: QemuContext, config: MachineConfig): Promise<void> {
  await network?.attach(config, join(machines.directoryOf(config.id), machineFiles.metadata))
}

/** Lets a running machine be reached as its configuration says. */
export async function applyNetwork(
  context: QemuContext,
  machine: RunningMachine,
  config: MachineConfig,
): Promise<void> {
  if (context.network) await plugIn(context, config)
  else await machine.setForwards(wantedForwards(config, context.lowestPort))
}

/**
 * The program to start and its arguments. The right to change the network is this process's, and no machine's: the
 * interface was made for the user beforehand.
 */
export function withoutRights({ network, program }: QemuContext, args: string[]): [program: string, args: string[]] {
  if (network === null) return [program, args]
  return ["setpriv", ["--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--", program, ...args]]
}
