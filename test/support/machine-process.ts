// A process that starts one machine and then waits: tests kill it to see what becomes of the machine.
// Arguments: the driver's directory, the image's directory, the machine's configuration as JSON.
import type { MachineConfig } from "../../local-cloud/machines/contract.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"

const [directory = "", image = "", json = ""] = process.argv.slice(2)
const config: MachineConfig = JSON.parse(json)
const machines = createQemuMachines({ directory })
await machines.open()
await machines.importImage(1, image)
await machines.createDisk(config.id, 1, config.diskBytes)
await machines.start(config)
process.stdout.write("started\n")
setInterval(() => {}, 1000)
