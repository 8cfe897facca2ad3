import { readFileSync } from "node:fs"
import { type Command, Option } from "commander"
import { createProgress } from "../../tools/setup/progress.ts"
import { setUp } from "../../tools/setup/setup.ts"
import { addFirstContents, LOCAL_ZONE } from "../first-contents.ts"
import { installHost, unitOfThisHost } from "../host-install.ts"
import { localCloudLog, readLocalCloud, startLocalCloudProcess, stopLocalCloudProcess } from "../local-cloud-process.ts"
import { printTable } from "../print-table.ts"

interface UpOptions {
  machines: "qemu" | "none"
  boot?: "template" | "cold"
  port?: string
  routerPort?: string
  dnsPort?: string
  signInPort?: string
  doorPort?: string
  signInCallback?: string
  /** False: without the stand-in for GitHub. */
  signIn?: boolean
}

/** `foozol-cloud local …`: a Hetzner-compatible cloud on this machine. */
export function addLocal(program: Command): void {
  const local = program
    .command("local")
    .description("a Hetzner-compatible cloud on this machine, with real virtual machines and no account")

  local
    .command("up")
    .description("start it in the background; does nothing when it runs")
    .addOption(
      new Option("--machines <kind>", "`qemu` boots real machines, `none` only pretends to")
        .choices(["qemu", "none"])
        .default("qemu"),
    )
    .addOption(
      new Option(
        "--boot <way>",
        "`template` lets new machines begin as copies of one that has booted; `cold` boots each",
      )
        .choices(["template", "cold"])
        .default("template"),
    )
    .option("--port <port>", "port of the API (default: 8180, or a free one)")
    .option("--router-port <port>", "port at which machines are reached by name (default: 8443, or a free one)")
    .option("--dns-port <port>", "port of the DNS server (default: 8053, or a free one)")
    .option("--sign-in-port <port>", "port of the stand-in for GitHub (default: 8446, or a free one)")
    .option("--door-port <port>", "port of the way to a service that is a machine here (default: 8447, or a free one)")
    .option("--sign-in-callback <url>", "callback URL of the stand-in's app (default: any path on this machine)")
    .option("--no-sign-in", "without the stand-in for GitHub")
    .action(async (options: UpOptions) => {
      await localUp(options)
      printStatus()
    })

  local
    .command("install")
    .description("install it as a systemd unit of this server, for others (root); see docs/providers/own-hardware.md")
    .option("--print", "print the unit and change nothing")
    .action(({ print }: { print?: boolean }) => {
      if (print) process.stdout.write(unitOfThisHost())
      else installHost(line => console.log(line))
    })

  local
    .command("status")
    .description("say whether it runs and how to reach it")
    .option("--json", "print JSON, tokens included")
    .action(({ json }: { json?: boolean }) => {
      const running = readLocalCloud()
      if (json) console.log(JSON.stringify(running))
      else if (running) printStatus()
      else console.error("The local cloud is not running: `npx foozol-cloud local up` starts it.")
      if (!running) process.exitCode = 1
    })

  local
    .command("down")
    .description("end it; its machines go on running unless told otherwise, and its records stay")
    .option("--power-off", "cut the power of its machines first")
    .action(async ({ powerOff }: { powerOff?: boolean }) => {
      if (powerOff) await powerOffAll()
      console.log((await stopLocalCloudProcess()) ? "stopped" : "it was not running")
    })

  local
    .command("logs")
    .description("print its log, or a machine's console")
    .argument("[server]", "id or name of a server: its console instead")
    .action(async (server: string | undefined) => {
      const file = server ? await consoleOf(server) : localCloudLog()
      process.stdout.write(readFileSync(file))
    })
}

/** Brings the local cloud up with everything it needs, its first image included. */
export async function localUp(options: UpOptions) {
  const running = readLocalCloud()
  if (running) return running
  const progress = createProgress()
  await setUp({ progress })
  const args = ["--machines", options.machines]
  for (const name of ["boot", "port", "routerPort", "dnsPort", "signInPort", "doorPort", "signInCallback"] as const) {
    if (options[name]) args.push(`--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`, options[name])
  }
  if (options.signIn === false) args.push("--no-sign-in")
  const runtime = await startLocalCloudProcess(args)
  await addFirstContents(runtime, progress)
  return runtime
}

export function printStatus(): void {
  const running = readLocalCloud()
  if (!running) return
  printTable(
    ["", ""],
    [
      ["API", running.apiUrl],
      ["machines", running.machines === "qemu" ? "real (QEMU)" : "pretended"],
      ["by name", `https://<name>.${LOCAL_ZONE}:${running.routerPort}`],
      ["DNS", `127.0.0.1:${running.dnsPort}`],
      ["sign-in", running.signIn ? `${running.signIn.url} (stand-in for GitHub)` : "off"],
    ],
  )
  console.log(`\nexport HCLOUD_ENDPOINT=${running.apiUrl} HCLOUD_TOKEN=${running.token}`)
}

interface ListedMachine {
  id: number
  name: string
  status: string
  console_log: string | null
}

async function listMachines(): Promise<ListedMachine[]> {
  const running = readLocalCloud()
  if (!running) throw new Error("The local cloud is not running.")
  const answer = await fetch(`${running.adminUrl}/machines`, {
    headers: { authorization: `Bearer ${running.adminToken}` },
  })
  return ((await answer.json()) as { machines: ListedMachine[] }).machines
}

async function powerOffAll(): Promise<void> {
  const running = readLocalCloud()
  if (!running) return
  for (const machine of await listMachines()) {
    if (machine.status === "off") continue
    await fetch(`${running.apiUrl}/servers/${machine.id}/actions/poweroff`, {
      method: "POST",
      headers: { authorization: `Bearer ${running.token}` },
    })
    console.log(`powered off ${machine.name}`)
  }
}

async function consoleOf(server: string): Promise<string> {
  const found = (await listMachines()).find(one => one.name === server || String(one.id) === server)
  if (!found) throw new Error(`There is no server "${server}".`)
  if (!found.console_log) throw new Error(`Server "${server}" has no console log.`)
  return found.console_log
}
