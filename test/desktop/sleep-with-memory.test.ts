import assert from "node:assert/strict"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { isComplete, isSeen } from "../../bench/first-picture.ts"
import { builtImage } from "../support/built-image.ts"
import { type GoldenCloud, type GoldenMachine, openShell, startGoldenCloud } from "../support/golden-machine.ts"
import { share } from "../support/share.ts"
import { waitUntil } from "../support/wait-until.ts"

/** Somebody's work in a terminal: a program that counts on. */
const COUNTER = `su user -c 'tmux -S /tmp/tmux-1000/default new-window -d -n counter "/usr/local/bin/counter"'`
const PROGRAM = `cat > /usr/local/bin/counter <<'END'
#!/bin/sh
i=0
while sleep 0.2; do i=$((i+1)); echo $i > /home/user/count; done
END
chmod 755 /usr/local/bin/counter`
/** Who the machine is, what it was given, and what runs on it: a line for each. */
const LOOK = `cat /etc/machine-id /proc/sys/kernel/random/boot_id /run/foozol/env
sha256sum < /etc/foozol/tls/key.pem
for name in Xvfb x11vnc tmux nginx; do echo $name $(pgrep -o $name); done
echo browser $(pgrep -o -f /chromium)
echo counter $(pgrep -u user -x counter) in a terminal of $(pgrep -u user bash)`

describe("desktop: a machine that sleeps with all that runs", function () {
  this.timeout(900_000)
  let golden: GoldenCloud
  let machine: GoldenMachine
  let snapshot: number
  let shell: Awaited<ReturnType<typeof openShell>>
  let seen = ""

  before(async function () {
    await builtImage(this, "browser")
    golden = await startGoldenCloud("browser")
    golden.service.settings = { env: { GIVEN: "yes" } }
    machine = await golden.create({ workspace: "sleeper" })
  })
  afterEach(function () {
    if (this.currentTest?.state === "failed") console.error(golden?.logged().join("\n"))
  })
  after(async () => {
    shell?.close()
    await golden?.close()
  })

  const look = async () => {
    const viewer = await machine.viewer()
    await isSeen("terminal and browser", viewer, () => isComplete(viewer))
    return viewer
  }
  const count = async () => Number(await shell.run("cat /home/user/count"))
  /** What asks for commands ends: nobody would answer it any more. */
  const leave = async () => {
    void shell.run("kill -9 $PPID")
    await shell.fetched()
    shell.close()
  }

  it("is set up: a program counts in its terminal", async () => {
    const viewer = await look()
    shell = await openShell(viewer)
    await shell.run(PROGRAM)
    assert.equal(await shell.run(COUNTER), "")
    await waitUntil("it counts", async () => (await count()) > 3)
    seen = await shell.run(LOOK)
    assert.match(seen, /^GIVEN="yes"$[\s\S]*^browser \d+\ncounter \d+ in a terminal of \d+/m)
    await shell.run("echo precious > /home/user/precious")
    await leave()
    viewer.close()
  })

  it("goes on as another server: the same programs, the same keys, the right time", async () => {
    const asleepAt = Date.now()
    snapshot = await golden.hibernate(machine)
    const { id } = machine
    machine = await golden.create({ workspace: "sleeper", image: snapshot })
    assert.notEqual(machine.id, id)
    const viewer = await look()
    assert.deepEqual(golden.logged(), [], "it has not booted")
    shell = await openShell(viewer)
    const now = Number(await shell.run("date +%s%3N"))
    const away = Date.now() - asleepAt
    assert.ok(away > 4_000 && Math.abs(now - Date.now()) < away / 2, `${now - Date.now()} ms off after ${away} ms`)
    assert.equal(await shell.run(LOOK), seen)
    // What it is told of itself is read again a while later, and is what it was.
    const settled = `[ "$(cat /etc/foozol/machine)" = ${machine.id} ] && ! pgrep -f /usr/lib/foozol/awake && echo yes`
    await waitUntil("it is settled", async () => (await shell.run(settled)).trim() === "yes")
    assert.equal(await shell.run(LOOK), seen)
    const counted = await count()
    await waitUntil("it counts on", async () => (await count()) > counted)
    await waitUntil("it reports as it is", () => golden.service.listeners() === 1)
    await leave()
    viewer.close()
  })

  // What the local cloud does then, integration/sleeping-machines tries each time.
  if (!share(true, false)) return
  it("boots where its memory was damaged: nothing on its disk is lost", async () => {
    snapshot = await golden.hibernate(machine)
    const path = join(golden.cloud.directory, "m", "images", String(snapshot), "kept", "memory")
    const memory = await open(path, "r+")
    await memory.write(Buffer.alloc(4096, 0x2a), 0, 4096, 256 * 1024 ** 2)
    await memory.close()
    machine = await golden.create({ workspace: "sleeper", image: snapshot })
    const viewer = await look()
    assert.match(golden.logged().join(), /its memory is damaged/)
    shell = await openShell(viewer)
    assert.equal((await shell.run("cat /home/user/precious")).trim(), "precious")
    const counted = await count()
    assert.equal((await shell.run("sleep 1; cat /home/user/count")).trim(), String(counted), "programs have ended")
    viewer.close()
  })
})
