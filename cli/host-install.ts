import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { StartError } from "../local-cloud/errors.ts"
import { readHostSettings } from "../local-cloud/host-settings.ts"
import { PROJECT_ROOT } from "../tools/setup/paths.ts"
import { firstHostSettings, HOST, hostUnit } from "./host-unit.ts"

/** The unit for this host and its settings, as far as there are some. */
export function unitOfThisHost(): string {
  const ownAddresses = existsSync(HOST.settings) && readHostSettings(HOST.settings).network !== null
  return hostUnit({ node: process.execPath, kvmGroup: hasGroup("kvm") ? "kvm" : null, ownAddresses })
}

/**
 * Makes user, settings and unit, and has systemd start it now and at every boot. Again, it brings the unit up to date
 * and restarts the local cloud; machines go on running, and settings stay as they are.
 * @param say hears what is done
 * @throws StartError that says what is in the way
 */
export function installHost(say: (line: string) => void): void {
  if (process.getuid?.() !== 0) throw new StartError("Only root can install a unit: run this with sudo.")
  if (!existsSync("/run/systemd/system"))
    throw new StartError("This host does not run systemd: `--print` shows the unit, for another supervisor to imitate.")
  for (const place of [process.execPath, PROJECT_ROOT]) {
    // Its user can read neither, and the unit hides them besides.
    if (/^\/(root|home|run\/user)(\/|$)/.test(place))
      throw new StartError(`${place} lies in somebody's home, where the unit cannot read: put it into /opt or /usr.`)
  }
  if (!hasUser(HOST.user)) {
    const options = ["--system", "--user-group", "--home-dir", HOST.data, "--shell", "/usr/sbin/nologin"]
    execFileSync("useradd", [...options, HOST.user])
    say(`user ${HOST.user} made`)
  }
  if (existsSync(HOST.settings)) readHostSettings(HOST.settings)
  else {
    mkdirSync(dirname(HOST.settings), { recursive: true })
    const { bavail, bsize } = statfsSync(dirname(HOST.data))
    writeFileSync(HOST.settings, firstHostSettings(bavail * bsize), { mode: 0o644 })
    say(`settings written: ${HOST.settings}`)
  }
  writeFileSync(HOST.unitFile, unitOfThisHost(), { mode: 0o644 })
  for (const args of [["daemon-reload"], ["enable", HOST.unit], ["restart", HOST.unit]])
    execFileSync("systemctl", args, { stdio: "inherit" })
  say(`${HOST.unit} runs; its log: journalctl -u ${HOST.unit}`)
  say(`commands reach it with FOOZOL_DATA=${HOST.data}, as root: export FOOZOL_DATA=${HOST.data}`)
  say(
    `what a service needs of it: ${join(HOST.data, "local-cloud/tokens.json")} has the token, http://127.0.0.1:8180/v1 is the endpoint`,
  )
}

const named = (file: string, name: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .some(line => line.startsWith(`${name}:`))
const hasUser = (name: string) => named("/etc/passwd", name)
const hasGroup = (name: string) => named("/etc/group", name)
