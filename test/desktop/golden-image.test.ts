/// <reference lib="dom" />
import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { Browser, Page } from "playwright-core"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { makeRepositories } from "../support/dev-container.ts"
import { type GoldenCloud, type GoldenMachine, openShell, startGoldenCloud } from "../support/golden-machine.ts"
import type { RfbClient } from "../support/rfb-client.ts"
import { skipTest } from "../support/skip.ts"
import { waitUntil } from "../support/wait-until.ts"

/** Of each window of the display its name, x, y, width, height, and its frame's left, right, top and bottom. */
const WINDOWS = `export DISPLAY=:99
for id in $(xprop -root _NET_CLIENT_LIST | grep -o '0x[0-9a-f]*'); do
  xprop -id $id WM_CLASS | grep -o 'foozol-[a-z]*' | head -n 1
  xwininfo -id $id | sed -n 's/.*\\(Absolute upper-left.*\\|Width\\|Height\\): *//p'
  xprop -id $id _NET_FRAME_EXTENTS | sed 's/.*= //' | tr -d ' ' | tr , '\\n'
done`
const IDENTITY = `cat /etc/machine-id; openssl pkey -in /etc/foozol/tls/key.pem -pubout | tr -d '\\n'; echo
hostname; cat /proc/sys/kernel/random/boot_id /etc/foozol/machine`

type Placed = { name: string; x: number; y: number; width: number; height: number }

/** Part of the points (every eighth, each way) at which the viewer shows another colour than the display has. */
async function difference(page: Page, { pixels, width }: RfbClient): Promise<number> {
  const shown = await page.evaluate(() => {
    const canvas = document.querySelector("canvas")
    const image = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height)
    const points: number[] = []
    if (image)
      for (let y = 4; y < image.height; y += 8)
        for (let x = 4; x < image.width; x += 8)
          points.push(...image.data.subarray(4 * (y * image.width + x), 4 * (y * image.width + x) + 3))
    return points
  })
  const columns = Math.floor((width + 3) / 8)
  let different = 0
  for (let at = 0; at < shown.length; at += 3) {
    const [row, column] = [Math.floor(at / 3 / columns), (at / 3) % columns]
    const pixel = pixels[(4 + 8 * row) * width + 4 + 8 * column] ?? 0
    const far = [16, 8, 0].some((shift, index) => Math.abs(((pixel >> shift) & 255) - (shown[at + index] ?? 0)) > 40)
    if (far) different++
  }
  return shown.length === 0 ? 1 : different / (shown.length / 3)
}

/** The golden image on real machines: what its files, units and scripts come to. */
describe("golden image, profile browser", function () {
  this.timeout(900_000)
  let golden: GoldenCloud
  let machine: GoldenMachine
  let viewer: RfbClient
  let shell: Awaited<ReturnType<typeof openShell>>

  before(async () => {
    golden = await startGoldenCloud("browser")
    machine = await golden.create({ site: "https://cloud.example/" })
    await machine.answers()
    viewer = await machine.viewer()
    shell = await openShell(viewer, { stays: true })
  })
  after(async () => {
    shell?.close()
    viewer?.close()
    await golden?.close()
  })

  async function windows(): Promise<Record<string, Placed>> {
    const lines = (await shell.run(WINDOWS)).trim().split("\n")
    const found: Record<string, Placed> = {}
    for (let at = 0; at + 8 < lines.length; at += 9) {
      const [x = 0, y = 0, width = 0, height = 0, left = 0, right = 0, top = 0, bottom = 0] = lines
        .slice(at + 1, at + 9)
        .map(Number)
      const name = lines[at] ?? ""
      found[name] = { name, x: x - left, y: y - top, width: width + left + right, height: height + top + bottom }
    }
    return found
  }
  const resize = (width: number, height: number) =>
    machine.ask("/agent/resize", { method: "POST", body: JSON.stringify({ width, height }) })
  /** Waits until terminal and browser lie so that `test` holds. */
  const lieSo = async (what: string, test: (terminal: Placed, browser: Placed) => boolean, limit = 600_000) => {
    let seen: Record<string, Placed> = {}
    const isSo = async () => {
      seen = await windows()
      const { "foozol-terminal": terminal, "foozol-browser": browser } = seen
      return terminal !== undefined && browser !== undefined && test(terminal, browser)
    }
    // Each look is some dozens of programs on the machine, which is at work on its windows.
    return waitUntil(what, isSo, limit, 1_500).catch(error => {
      error.message += ` They lie so: ${JSON.stringify(seen)}`
      throw error
    })
  }
  const near = (a: number, b: number) => Math.abs(a - b) <= 4
  const sideBySide = (width: number) => (terminal: Placed, browser: Placed) =>
    near(terminal.x, 0) &&
    near(terminal.width, width / 3) &&
    near(browser.x, width / 3) &&
    near(browser.x + browser.width, width)

  describe("windows", () => {
    it("lie side by side when they open", () => lieSo("terminal left, browser right", sideBySide(1920)))

    it("leave the keyboard where it is when the browser comes, and give it to whoever is clicked", async () => {
      const spy = "stdbuf -oL xprop -root -spy _NET_ACTIVE_WINDOW > /tmp/active"
      await shell.run(`DISPLAY=:99 setsid ${spy} 2> /dev/null < /dev/null & systemctl restart foozol-browser`)
      const holders = async () => (await shell.run("sed 's/.* //' /tmp/active")).trim().split("\n")
      const terminal = (await shell.run("DISPLAY=:99 xprop -root _NET_CLIENT_LIST | grep -o '0x[0-9a-f]*'")).split(
        "\n",
      )[0]
      // It asks for the keyboard a second time soon after the first.
      const takenBack = async () => {
        const before = await holders()
        await sleep(10_000)
        const after = await holders()
        return after.length > 2 && after.length === before.length && after.at(-1) === terminal && after.at(-2)
      }
      const browser = await waitUntil("the browser has taken the keyboard and given it back", takenBack, 240_000)
      assert.notEqual(browser, terminal)
      // A person takes it there.
      viewer.click(1500, 600)
      await waitUntil("a click gives it to the browser", async () => (await holders()).at(-1) === browser)
      await sleep(3_000)
      assert.equal((await holders()).at(-1), browser, "and there it stays")
      await shell.run("pkill xprop")
    })

    it("are laid out anew when the display takes another size, and again", async () => {
      assert.deepEqual(JSON.parse((await resize(1280, 800)).text), { width: 1280, height: 800 })
      await lieSo("side by side at 1280", sideBySide(1280))
      await resize(584, 1200)
      await lieSo(
        "browser above terminal on a phone",
        (terminal, browser) =>
          near(browser.width, 584) && near(terminal.width, 584) && near(terminal.y, browser.y + browser.height),
      )
      await resize(1920, 1080)
      await lieSo("side by side at 1920", sideBySide(1920))
    })

    it("stay where a person has put them, and come in from outside", async () => {
      // Pointer events count in the display's new size only for viewers that have heard of it.
      await viewer.look()
      // A title bar that is just being drawn does not take the pointer, and a slow window is let go of on its way; a
      // person tries again, where it is then.
      const isMoved = ({ x, y }: Placed) => near(x, 800) && near(y, 100)
      await waitUntil("the terminal takes the pointer", async () => {
        const { x = 0, y = 0 } = (await windows())["foozol-terminal"] ?? {}
        await viewer.drag({ x: x + 300, y: y + 14 }, { x: 1100, y: 114 })
        return lieSo("the terminal was moved", isMoved, 20_000)
      })
      await resize(1600, 900)
      await lieSo(
        "it has come in as it was, and the browser is in its place",
        (terminal, browser) => near(terminal.x, 800) && near(terminal.width, 640) && near(browser.x, 533),
      )
      await resize(1280, 800)
      await lieSo("all of it is inside", terminal => near(terminal.x, 640) && near(terminal.width, 640))
    })

    it("leave no sizes behind that are not in use", async () => {
      await resize(1024, 700)
      await resize(1280, 800)
      const sizes = (await shell.run("DISPLAY=:99 xrandr")).match(/^ {3}\d+x\d+/gm) ?? []
      assert.deepEqual(sizes.map(size => size.trim()).sort(), ["1280x800", "3840x2160"])
    })
  })

  describe("viewer", () => {
    let browser: Browser | undefined
    after(() => browser?.close())

    it("follows the display through many sizes, with one connection and a true picture", async function () {
      const chromium = findChromium()
      if (chromium === undefined) return skipTest(this, "no Chromium on the PATH")
      browser = await launchChromium(chromium)
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true })
      await context.addCookies([{ ...machine.cookie, url: machine.url, secure: true, httpOnly: true, sameSite: "Lax" }])
      const page = await context.newPage()
      const streams: string[] = []
      page.on("websocket", socket => streams.push(socket.url()))
      await page.goto(machine.url)
      await page.waitForSelector('html[data-state="connected"]', { timeout: 120_000 })
      // A very busy machine may take longer to open the first one than the viewer waits before it tries again.
      streams.length = 0
      for (const [width, height] of [
        [1280, 800],
        [900, 700],
        [390, 844],
        [1600, 900],
      ] as const) {
        await page.setViewportSize({ width, height })
        await waitUntil(`the picture has ${width}x${height}`, () =>
          page.evaluate(
            wanted => {
              const canvas = document.querySelector("canvas")
              return canvas?.width === wanted.width && canvas.height === wanted.height
            },
            { width, height },
          ),
        )
        await waitUntil("the viewer shows what is on the display", async () => {
          await viewer.look()
          if (viewer.width !== width || viewer.height !== height) return false
          return (await difference(page, viewer)) < 0.02
        })
      }
      assert.deepEqual(streams, [])
      await context.close()
    })

    it("carries every character of the clipboard, both ways and at once", async function () {
      if (browser === undefined) return skipTest(this, "no Chromium on the PATH")
      const permissions = ["clipboard-read", "clipboard-write"]
      const context = await browser.newContext({ permissions, ignoreHTTPSErrors: true })
      await context.addCookies([{ ...machine.cookie, url: machine.url, secure: true, httpOnly: true, sameSite: "Lax" }])
      const page = await context.newPage()
      await page.goto(machine.url)
      await page.waitForSelector('html[data-state="connected"]', { timeout: 120_000 })
      await page.evaluate(() => navigator.clipboard.writeText("Grüße – 日本 😀"))
      let there = ""
      const hasIt = async () => {
        // What has come is not sent again; what a very busy machine could not take is.
        await page.evaluate(() => window.dispatchEvent(new Event("focus")))
        there = await shell.run("DISPLAY=:99 timeout 20 xclip -selection clipboard -out -target UTF8_STRING")
        return there === "Grüße – 日本 😀"
      }
      await waitUntil("the desktop has it", hasIt).catch(error => {
        error.message += `, but "${there}"`
        throw error
      })
      await shell.run("printf 'von dort – ✓' | DISPLAY=:99 xclip -selection clipboard > /dev/null 2>&1")
      await waitUntil(
        "the browser has it",
        async () => (await page.evaluate(() => navigator.clipboard.readText())) === "von dort – ✓",
      )
      await context.close()
    })
  })

  describe("door", () => {
    const link = 'href="https://cloud.example/connect?workspace=blue-otter"'

    it("shows whoever is signed out where to sign in, with the right status", async () => {
      for (const path of ["/", "/vnc", "/agent/status", "/enter?ticket=none"]) {
        const { status, text, headers } = await machine.ask(path, { cookie: "" })
        assert.equal(status, 401, path)
        assert.match(text, /<h1>You are signed out here/)
        assert.ok(text.includes(`<a class="button" ${link}>Sign in</a>`), path)
        assert.ok(headers["content-security-policy"])
      }
      golden.service.foreign.add("theirs")
      const foreign = await machine.ask("/", { cookie: "__Host-foozol=theirs" })
      assert.equal(foreign.status, 403)
      assert.ok(foreign.text.includes(link))
    })

    it("tells the viewer the same address", async () => {
      const status = JSON.parse((await machine.ask("/agent/status")).text)
      assert.equal(status.service, "https://cloud.example/connect?workspace=blue-otter")
    })

    it("says when the service is away, and when the desktop is not up yet", async () => {
      golden.service.away(true)
      const away = await machine.ask("/")
      golden.service.away(false)
      assert.equal(away.status, 503)
      assert.match(away.text, /<h1>The service is away/)
      await shell.run("systemctl stop foozol-agent.service")
      const starting = await machine.ask("/agent/status")
      await shell.run("systemctl start foozol-agent.service")
      assert.equal(starting.status, 502)
      assert.match(starting.text, /<h1>Your workspace is starting/)
    })
  })

  describe("dev container", () => {
    const want = (name: string) =>
      shell.run(`su user -c 'cd; /usr/lib/foozol/devcontainer want ~/${name}'; echo "code $?"
        systemctl stop foozol-devcontainer; systemctl start foozol-devcontainer`)
    const state = async () => {
      const text = await shell.run("cat /run/user/1000/foozol-devcontainer")
      return JSON.parse(text) as { state: string; reason?: string }
    }
    const until = async (wanted: string) => {
      const isOver = async () => {
        const now = await state()
        return [wanted, "failed", "ended"].includes(now.state) && now
      }
      const end = await waitUntil(`it is ${wanted}`, isOver, 600_000, 3_000).catch(() => state())
      const log = end.state === wanted ? "" : await shell.run("cat /home/user/.local/state/foozol/devcontainer.log")
      assert.equal(end.state, wanted, `${JSON.stringify(end)}\n${log.slice(-4_000)}`)
      return end
    }
    const tmux = (command: string) => shell.run(`su user <<'END'\ntmux -S /tmp/tmux-1000/default ${command}\nEND`)
    /** What a new terminal in a folder shows when it shows `text`; `keys` are typed until it does. */
    const terminal = async (folder: string, text: RegExp, keys?: string) => {
      await tmux("kill-session -t =try")
      await tmux(`new-session -d -s try -x 150 -y 40 -c ${folder}`)
      let screen = ""
      const shows = async () => {
        if (keys !== undefined) await tmux(`send-keys -t =try: '${keys}' Enter`)
        await new Promise(resolve => setTimeout(resolve, 2_000))
        screen = await tmux("capture-pane -p -J -t =try:")
        return text.test(screen)
      }
      await waitUntil(`a terminal in ${folder} shows ${text}`, shows).catch(error => {
        error.message += `\n${screen.trimEnd()}`
        throw error
      })
      return screen
    }

    before(() => shell.run(makeRepositories))

    it("is made from the repository's files, as the user, and its terminals begin in it", async () => {
      assert.match(await want("good"), /code 0/)
      await until("running")
      const screen = await terminal(
        "/home/user/good/.devcontainer",
        /yes made 0 \/workspaces\/good\/\.devcontainer/,
        "echo kept > $CLAUDE_CONFIG_DIR/kept; echo $INSIDE $(cat /tmp/made) $(id -u) $PWD",
      )
      assert.match(screen, /yes made 0 \/workspaces\/good\/\.devcontainer/)
      const kept = await shell.run("cat /home/user/.claude/kept; stat -c %U /home/user/.claude/kept")
      assert.equal(kept, "kept\nuser\n", "what agents know is the home's")
      assert.match(await shell.run("ps -o user= -C conmon"), /^user\s*$/m, "nothing of it is root of the machine")
      await terminal("/home/user", /machine 1000/, "echo machine $(id -u)")
    })

    it("serves on the machine's own ports, and git in it is who it is on the machine", async () => {
      await shell.run("su user -c 'git config --global user.name Ada'")
      const asked = String.raw`printf "protocol=https\nhost=github.com\n" | GITHUB_TOKEN=t0ken $GIT_CONFIG_VALUE_0 get`
      const typed = `httpd -p 127.0.0.1:3111 -h /tmp; echo "$GIT_CONFIG_VALUE_1 $(${asked} | tail -n 1)"`
      await terminal("/home/user/good", /^Ada password=t0ken$/m, typed)
      assert.equal(await shell.run("curl -s http://127.0.0.1:3111/made"), "made\n")
      const listing = await shell.run("awk '$2 ~ /:0C27$/ && $4 == \"0A\" { print $8 }' /proc/net/tcp")
      assert.equal(listing, "1000\n", "it is the user's, whose servers are shown")
      await shell.run("su user -c 'git config --global --unset user.name'")
    })

    it("begins again with the machine, as it was", async () => {
      await shell.run("systemctl restart foozol-devcontainer")
      await until("running")
      await terminal("/home/user/good", /still made/, "echo still $(cat /tmp/made)")
    })

    it("begins again when everything of it was killed, also in the middle of its end", async () => {
      for (const ends of [false, true]) {
        if (ends) await shell.run("systemctl stop --no-block foozol-devcontainer; sleep 2")
        await shell.run("systemctl kill --signal=KILL foozol-devcontainer; sleep 1")
        await shell.run("systemctl reset-failed foozol-devcontainer; systemctl start foozol-devcontainer")
        await until("running")
      }
      await terminal("/home/user/good", /still made/, "echo still $(cat /tmp/made)")
    })

    it("is built with the machine's network, where a proxy is to be found", async () => {
      const built = await shell.run(`su user <<'END'
cd ~/good/.devcontainer && printf 'FROM localhost/tiny:1\nRUN readlink /proc/self/ns/net\n' |
  XDG_RUNTIME_DIR=/run/user/1000 podman build --no-cache --quiet=false -f - . 2>&1
END`)
      assert.ok(built.includes((await shell.run("readlink /proc/self/ns/net")).trim()), built)
    })

    it("goes out through the workspace's proxy, as the machine does", async () => {
      const settings = (now: object) => {
        // To an agent that connects anew just now, too.
        golden.service.settings = now
        golden.service.push("settings", now)
      }
      const visits: (string | undefined)[] = []
      const proxy = createServer((request, response) => {
        visits.push(request.url)
        response.end("by the proxy\n")
      })
      await new Promise<void>(resolve => proxy.listen(0, "127.0.0.1", resolve))
      const { port } = proxy.address() as AddressInfo
      try {
        settings({ proxy: `http://ada:hush@${HOST_FROM_MACHINES}:${port}` })
        await waitUntil("the machine knows it", async () => /_proxy=/i.test(await shell.run("cat /run/foozol/env")))
        await terminal("/home/user/good", /^by the proxy$/m, "wget -q -O - http://elsewhere.example/inside")
        // The machine's own proxy is between them, and writes the port.
        assert.match(visits.join("\n"), /^http:\/\/elsewhere\.example(:80)?\/inside$/m)
      } finally {
        settings({})
        proxy.close()
        proxy.closeAllConnections()
      }
    })

    it("of a Compose file is made with all its services, which call each other by name", async () => {
      const here = "http://127.0.0.1:8123/starts"
      assert.match(await want("composed"), /code 0/)
      await until("running")
      const asks = "for name in store shelf; do wget -q -O - http://$name:8123/starts; done"
      const typed = `echo $INSIDE $(cat /tmp/made) $(id -u) $(${asks}) $PWD`
      await terminal("/home/user/composed", /^composed made 0 start start \/workspaces\/composed$/m, typed)
      assert.equal(await shell.run(`curl -s ${here}`), "start\n", "a port of the workspace's")
      await shell.run("systemctl restart foozol-devcontainer")
      await until("running")
      await terminal("/home/user/composed", /still made/, "echo still $(cat /tmp/made)")
      assert.equal(await shell.run(`curl -s ${here}`), "start\nstart\n", "what was made began again")
      await shell.run("su user -c 'cd ~/composed; XDG_RUNTIME_DIR=/run/user/1000 devcontainer-again'")
      await waitUntil("it is made anew", async () => (await state()).state !== "running")
      await until("running")
      assert.equal(await shell.run(`curl -s ${here}`), "start\nstart\nstart\n", "the volume stays")
      await shell.run("systemctl stop foozol-devcontainer")
      assert.equal(await shell.run(`curl -s ${here}; pgrep -cx conmon`), "0\n", "all of it ends")
    })

    it("that cannot be made leaves the machine, and says why", async () => {
      assert.match(await want("broken"), /code 0/)
      assert.match((await until("failed")).reason ?? "", /there-is-none/)
      await terminal("/home/user/broken", /could not be made: .*[\s\S]*This is the machine/)
    })

    it("of several is begun by name; a repository without one has none", async () => {
      assert.match(await want("several"), /code 3/)
      await terminal("/home/user/several", /devcontainer-again \.devcontainer\/a\/devcontainer\.json/)
      await shell.run(
        "su user -c 'cd ~/several; XDG_RUNTIME_DIR=/run/user/1000 devcontainer-again .devcontainer/b/devcontainer.json'",
      )
      await until("running")
      await shell.run("su user -c 'cd ~/several; XDG_RUNTIME_DIR=/run/user/1000 devcontainer-again none'")
      assert.match(await want("plain"), /code 3/)
      assert.match(await shell.run("cat /run/user/1000/foozol-devcontainer"), /No such file/)
    })
  })

  describe("identity", () => {
    let [machineId, publicKey, boot] = ["", "", ""]
    const identity = async () => {
      const [id = "", key = "", hostname = "", started = "", server = ""] = (await shell.run(IDENTITY))
        .trim()
        .split("\n")
      return { id, key, hostname, started, server }
    }

    it("is the machine's own, and outlives a reboot", async () => {
      const first = await identity()
      assert.match(first.id, /^[0-9a-f]{32}$/)
      assert.deepEqual([first.hostname, first.server], ["blue-otter", String(machine.id)])
      // The machine keeps its id only once the desktop stands.
      await waitUntil("the id is on the disk", async () =>
        (await shell.run("mountpoint /etc/machine-id")).includes("not"),
      )
      await golden.act(machine, "reboot")
      const second = await waitUntil("the machine is back", async () => {
        const now = await identity()
        return now.started !== first.started && now
      })
      assert.deepEqual({ ...second, started: "" }, { ...first, started: "" })
      ;[machineId, publicKey, boot] = [second.id, second.key, second.started]
    })

    it("is another one in a machine made from its snapshot, which runs without a service too", async () => {
      // As Debian's own service would leave it.
      await shell.run("date > /var/lib/systemd/random-seed; sync")
      const { image } = await golden.act<{ image: { id: number } }>(machine, "create_image", { type: "snapshot" })
      await golden.act(machine, "poweroff")
      const copy = await golden.create({ workspace: "red-otter", image: image.id, service: null })
      const door = await copy.answers().catch(async error => {
        // It may well be up behind its door, and then what it was told to do for good asks here what to do.
        const known = shell.run("systemctl --failed --no-legend; systemctl list-jobs; journalctl -b -n 100 --no-pager")
        const words = await Promise.race([known, sleep(60_000, "nobody asks inside")])
        throw new Error(`${error.message}\nfrom inside: ${words}`, { cause: error })
      })
      assert.equal(door.status, 503)
      const now = await waitUntil("the copy has started", async () => {
        const its = await identity()
        return its.started !== boot && its
      })
      assert.match(now.id, /^[0-9a-f]{32}$/)
      assert.notEqual(now.id, machineId)
      assert.match(now.key, /BEGIN PUBLIC KEY/)
      assert.notEqual(now.key, publicKey)
      assert.deepEqual([now.hostname, now.server], ["red-otter", String(copy.id)])
      assert.match(await shell.run("ls /var/lib/systemd/random-seed"), /No such file/)
      assert.match(await shell.run("journalctl -n 1 -o cat -u foozol-boot.service"), /./, "the journal goes on")

      const ask = (path: string) => shell.run(`curl -s --unix-socket /run/foozol/agent.sock http://agent${path}`)
      const status = await waitUntil("the copy's desktop is ready", async () => {
        const text = await ask("/agent/status")
        return text.includes('"ready":true') && (JSON.parse(text) as Record<string, unknown>)
      })
      assert.deepEqual([status.workspace, status.service], ["red-otter", null])
      assert.match(await shell.run("systemctl show -p NRestarts foozol-agent.service"), /NRestarts=0/)
      const size = '/agent/resize -d \'{"width":800,"height":600}\''
      assert.deepEqual(JSON.parse(await ask(size)), { width: 800, height: 600 })
      const ready = await copy.ask("/")
      assert.equal(ready.status, 503)
      assert.match(ready.text, /The service is away/)
      assert.equal((await copy.ask("/vnc")).status, 503)
    })
  })
})
