import type { Check } from "./check.ts"
import { admission } from "./checks/admission.ts"
import { webAgents } from "./checks/agents.ts"
import { beforeStop, beforeStopSeen } from "./checks/before-stop.ts"
import { boot } from "./checks/boot.ts"
import { browsing } from "./checks/browsing.ts"
import { contents } from "./checks/contents.ts"
import { logs } from "./checks/logs.ts"
import { ports } from "./checks/ports.ts"
import { reboot } from "./checks/reboot.ts"
import { resizing } from "./checks/resizing.ts"
import { restarts } from "./checks/restarts.ts"
import { revocation } from "./checks/revocation.ts"
import { screen } from "./checks/screen.ts"
import { settings } from "./checks/settings.ts"
import { webTerminal } from "./checks/terminal.ts"
import { tls } from "./checks/tls.ts"
import { typed } from "./checks/typing.ts"
import { complete } from "./checks/window.ts"

/**
 * All that is promised of an image, in the order in which it is checked: what breaks nothing first, then what takes
 * parts of the machine down, and at the end the logs of all of it.
 */
export const CHECKLIST: Check[] = [
  ...boot,
  ...ports,
  ...tls,
  ...admission,
  ...screen,
  typed,
  webTerminal,
  webAgents,
  complete,
  ...contents,
  ...browsing,
  ...revocation,
  ...settings,
  ...resizing,
  ...restarts,
  ...beforeStop,
  ...reboot,
  ...beforeStopSeen,
  ...logs,
]
