import { type Check, expect } from "../check.ts"
import { reboots } from "./reboot.ts"
import { typed } from "./typing.ts"

const FOLDER = "/etc/foozol/before-stop.d"
const SEEN = "/home/user/before-stop.seen"

/** Scripts that say what is still up, that hang, and that come after one that hangs; and a file that is none. */
const PLACE = `
put() { printf '#!/bin/sh\\n%s\\n' "$2" > ${FOLDER}/$1; chmod "$3" ${FOLDER}/$1; }
put 10-look 'echo said in the journal; { id -un; pwd; tmux list-sessions -F "#{session_name}"; systemctl is-active foozol-xvfb nginx; } > ${SEEN}' 755
put 20-hang 'exec sleep 600' 755
put 30-after 'echo after >> ${SEEN}' 755
put 40-no-script 'echo none >> ${SEEN}' 644
systemctl is-active foozol-before-stop`

const placed: Check = {
  name: "before a stop: the unit waits for it, and takes scripts",
  level: "full",
  needs: [typed.name],
  async run(run) {
    const { code, output } = await run.inside.run(PLACE, { limit: run.patience })
    expect(code === 0, `foozol-before-stop is ${output.trim()}`)
    return "active"
  },
}

/** Stands before the reboot, so that the reboot is the stop that is looked at. */
export const beforeStop: Check[] = [placed]

/** Stands after the reboot. */
export const beforeStopSeen: Check[] = [
  {
    name: "before a stop: scripts ran as the user while desktop and terminals were up, and one that hung held up nothing",
    level: "full",
    needs: [placed.name, reboots.name],
    async run(run) {
      const read = `cat ${SEEN}; echo; journalctl -b -1 -u foozol-before-stop -o cat; rm -f ${FOLDER}/?0-*`
      const { output } = await run.inside.run(read, { limit: run.patience })
      const [seen = "", journal = ""] = output.split("\n\n")
      const [user, home, ...rest] = seen.trim().split("\n")
      expect(user === "user" && home === "/home/user", `A script ran as ${user} in ${home}`)
      expect(rest.includes("main"), `The sessions of tmux then were ${rest.join(", ") || "none"}`)
      expect(rest.filter(one => one === "active").length === 2, `Display and NGINX then were ${rest.join(", ")}`)
      expect(rest.at(-1) === "after", "The script after the one that hung did not run")
      expect(journal.includes("said in the journal"), "The journal has nothing of what the scripts printed")
      expect(journal.includes("20-hang: ended after"), "The script that hung was not ended")
      return "as the user, with desktop and terminals up"
    },
  },
]
