import { randomBytes } from "node:crypto"
import { type Check, expect } from "../check.ts"
import type { Run } from "../run.ts"
import { navigate } from "./browsing.ts"
import { desktopOf } from "./screen.ts"
import { typed } from "./typing.ts"
import { complete } from "./window.ts"

/** A host that no name server knows, under a name that browsers take for an address: who gets an answer from it went through the proxy. */
const HOST = "only-by-proxy.test"
const secret = randomBytes(16).toString("hex")

const settingsOf = ({ proxy, machine }: Run, isProxied: boolean) => ({
  env: { CHECKED_SETTING: "with spaces and $signs" },
  secrets: { CHECKED_SECRET: secret },
  proxy: isProxied ? `http://${proxy.user}:${proxy.password}@${machine.hostFromInside}:${proxy.port}` : null,
})

/** Unit of the window beside the terminal. */
export const windowUnit = (run: Run) => (run.profile === "browser" ? "foozol-browser" : "foozol-app")

const inShells: Check = {
  name: "settings: session, settings and secrets reach new shells, and nobody else",
  level: "full",
  needs: [typed.name],
  async run(run) {
    run.service.settings(settingsOf(run, false))
    const shell = 'echo "$SESSION_ID|$CHECKED_SETTING|$CHECKED_SECRET"'
    const wanted = `${run.workspace}|with spaces and $signs|${secret}`
    let said = ""
    await run
      .until("the settings in a new shell", async () => {
        said = (await run.inside.run(shell, { as: "user", limit: run.patience })).output.trim()
        return said === wanted
      })
      .catch(error => expect(false, `A new shell has "${said.replaceAll(secret, "the secret")}" (${error.message})`))
    // A shell in a terminal that is older than the change inherits what was taken back since.
    run.service.settings({ ...settingsOf(run, false), secrets: {} })
    const older = `CHECKED_SECRET=older FOOZOL_GIVEN=CHECKED_SECRET bash -lc 'echo "[$CHECKED_SECRET]"'`
    await run
      .until("a shell without the secret", async () => {
        said = (await run.inside.run(older, { as: "user", limit: run.patience })).output.trim()
        return said === "[]"
      })
      .catch(error => expect(false, `A new shell has a secret that was taken back (${error.message})`))
    const { output } = await run.inside.run("stat -c '%a %U %G' /run/foozol/env /run/foozol/secrets.env", {
      limit: run.patience,
    })
    expect(
      output.trim() === "640 root user\n640 root user",
      `The files of settings: ${output.trim().replace("\n", ", ")}`,
    )
    const others = await run.inside.run("runuser -u nobody -- cat /run/foozol/secrets.env", { limit: run.patience })
    expect(others.code !== 0, "Another user of the machine can read the secrets")
    return "in a login shell, mode 640; gone when taken back"
  },
}

const shellsByProxy: Check = {
  name: "proxy: a shell's requests go through the workspace's proxy",
  level: "full",
  needs: [inShells.name],
  async run(run) {
    run.service.settings(settingsOf(run, true))
    const [path, tunnelled] = [run.site.newPath(), run.site.newPath()]
    const fetchIt = (option: string, to: string) => `curl -sS --max-time 20 ${option} http://${HOST}${to}/pressed`
    let said = ""
    await run
      .until("a shell's request through the proxy", async () => {
        said = (await run.inside.run(fetchIt("", path), { as: "user", limit: run.patience })).output.trim()
        return said.startsWith("pressed")
      })
      .catch(() => expect(false, `A shell's curl said "${said}"`))
    expect(
      run.site.visits.some(one => one.path === `${path}/pressed` && one.byProxy),
      "The request did not come by the proxy",
    )
    const tunnel = await run.inside.run(fetchIt("--proxytunnel", tunnelled), { as: "user", limit: run.patience })
    expect(tunnel.output.startsWith("pressed"), `A tunnel through the proxy said "${tunnel.output.trim()}"`)
    expect(run.proxy.tunnels.length > 0, "The tunnel did not go through the proxy")
    return "plain and by tunnel"
  },
}

const browserByProxy: Check = {
  name: "proxy: the browser's requests go through it",
  level: "full",
  needs: [shellsByProxy.name, complete.name],
  async run(run) {
    // The settings are in force for whatever is started from now on.
    await run.inside.run(`systemctl restart ${windowUnit(run)}`, { limit: run.patience })
    const { page } = await desktopOf(run)
    if (page === null) return "the image has an app and no browser window"
    const path = run.site.newPath()
    await navigate(run, page, `http://${HOST}${path}`)
    const visit = await run.until("the browser's request through the proxy", () =>
      run.site.visits.find(one => one.path === path && one.byProxy),
    )
    expect(/Chrom(e|ium)\//.test(visit.userAgent), `The request was made by "${visit.userAgent}"`)
    expect(run.proxy.refused() === 0, `${run.proxy.refused()} requests came to the proxy without its credentials`)
    return "with a name that only the proxy knows"
  },
}

/** Looks for words, given as standard input, where another user of the machine could read them. */
const searchOpenPlaces = (words: string[]) => `cat > patterns <<'END-OF-WORDS'
${words.join("\n")}
END-OF-WORDS
grep -alsFf patterns /proc/[0-9]*/cmdline
find /etc /run /tmp /var /home /opt /srv -xdev -type f -size -4M -newermt '-1 day' -print0 2> /dev/null |
  xargs -0 -r grep -lsFf patterns | while read -r file; do runuser -u nobody -- test -r "$file" && echo "$file"; done
rm patterns
true`

const staysHidden: Check = {
  name: "proxy: its credentials are in no process list and no file that others can read",
  level: "full",
  needs: [shellsByProxy.name],
  async run(run) {
    const words = [
      run.proxy.password,
      Buffer.from(`${run.proxy.user}:${run.proxy.password}`).toString("base64"),
      secret,
      run.service.key,
    ]
    const { output } = await run.inside.run(searchOpenPlaces(words), { limit: 2 * run.patience })
    const places = [...new Set(output.trim().split("\n"))].filter(line => line !== "")
    expect(places.length === 0, `They are in ${places.slice(0, 5).join(", ")}`)
    const { output: rights } = await run.inside.run("stat -c '%a %U' /run/foozol/proxy.conf", { limit: run.patience })
    expect(rights.trim() === "600 root", `/run/foozol/proxy.conf is ${rights.trim()}`)
    return "nor are the secrets and the machine's key"
  },
}

const withoutProxy: Check = {
  name: "proxy: requests go straight again without one",
  level: "full",
  needs: [shellsByProxy.name],
  async run(run) {
    run.service.settings(settingsOf(run, false))
    const path = `${run.site.newPath()}/pressed`
    const shell = `echo "proxy=$http_proxy"; curl -sS --max-time 20 http://${run.machine.hostFromInside}:${run.site.port}${path}`
    let said = ""
    await run
      .until("a request without the proxy", async () => {
        said = (await run.inside.run(shell, { as: "user", limit: run.patience })).output.trim()
        return said === `proxy=\npressed ${path}`
      })
      .catch(() => expect(false, `A new shell said "${said}"`))
    expect(
      run.site.visits.every(one => one.path !== path || !one.byProxy),
      "The request came by the proxy",
    )
    const { code } = await run.inside.run("test ! -e /run/foozol/proxy.conf && ! systemctl is-active -q foozol-proxy", {
      limit: run.patience,
    })
    expect(code === 0, "The proxy's credentials or its service stayed")
    await run.inside.run(`systemctl restart ${windowUnit(run)}`, { limit: run.patience })
    return "and nothing of it stays"
  },
}

export const settings = [inShells, shellsByProxy, browserByProxy, staysHidden, withoutProxy]
