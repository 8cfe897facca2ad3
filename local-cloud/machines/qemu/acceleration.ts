import { spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readJson, writeAtomically } from "./files.ts"
import { hostBoot } from "./processes.ts"

const probeValue = 0x2a
const probeExitCode = (probeValue << 1) | 1
/** A busy host must not be taken for one without KVM until it boots anew; milliseconds. */
const probeLimit = 60_000

/**
 * Says whether machines of this host run with KVM or emulated. `wanted` other than `auto` is taken at its word.
 * Whether KVM works is found by booting: on some hosts /dev/kvm opens and a machine is created, yet nothing runs in it.
 * The finding is kept in `directory` until the host is booted anew.
 */
export async function detectAcceleration(options: {
  directory: string
  program: string
  wanted: "auto" | "kvm" | "tcg"
}): Promise<"kvm" | "tcg"> {
  if (options.wanted !== "auto") return options.wanted
  const path = join(options.directory, "acceleration.json")
  const boot = hostBoot()
  const known = await readJson<{ hostBoot: string; accel: "kvm" | "tcg" }>(path)
  if (known?.hostBoot === boot) return known.accel
  const accel = (await boots(options.program, "kvm")) ? "kvm" : "tcg"
  await writeAtomically(path, JSON.stringify({ hostBoot: boot, accel }))
  return accel
}

/** Boots eight bytes of machine code and returns whether they ran to their end. */
export async function boots(program: string, accel: "kvm" | "tcg"): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), "foozol-cloud-probe-"))
  try {
    await writeFile(join(directory, "probe.img"), bootSector())
    const code = await exitCode(program, probeArguments(accel), directory)
    return code === probeExitCode
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function probeArguments(accel: "kvm" | "tcg"): string[] {
  return [
    ...["-machine", "pc", "-accel", accel, "-cpu", accel === "kvm" ? "host" : "max", "-m", "16"],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-drive", "file=probe.img,format=raw,if=ide", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"],
  ]
}

/** A boot sector that writes one byte to the debug exit port, which makes QEMU end with a code of our choice. */
function bootSector(): Buffer {
  const sector = Buffer.alloc(512)
  // mov dx, 0xf4; mov al, probeValue; out dx, al; cli; hlt
  sector.set([0xba, 0xf4, 0x00, 0xb0, probeValue, 0xee, 0xfa, 0xf4])
  sector.set([0x55, 0xaa], 510)
  return sector
}

function exitCode(program: string, args: string[], cwd: string): Promise<number | null> {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd, stdio: "ignore", timeout: probeLimit, killSignal: "SIGKILL" })
    child.on("error", () => resolve(null))
    child.on("close", code => resolve(code))
  })
}
