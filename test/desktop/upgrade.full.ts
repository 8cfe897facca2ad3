import assert from "node:assert/strict"
import { type GoldenDesk, startGoldenDesk } from "../support/golden-desk.ts"
import { testImage } from "../support/test-image.ts"

const MINUTES = 60_000

/** What a user makes of a machine, all over it; and a change to what is the image's. */
const MAKE = `set -e
mkdir -p ~/files ~/.config/mine
head -c 20000000 /dev/urandom > ~/files/large
(cd ~/files && sha256sum large > sum)
echo 'a name' > "$HOME/files/with space"
ln -s large ~/files/link
printf hidden > ~/.config/mine/setting
sudo bash -e <<'END'
mkdir -p /opt/mine /srv/alice /usr/local/lib/empty
echo tool > /usr/local/bin/mine && chmod 4755 /usr/local/bin/mine
echo data > /opt/mine/data
useradd --uid 1500 --shell /bin/bash alice
usermod --append --groups alice user
echo hers > /srv/alice/file && chown alice: /srv/alice/file && chmod 640 /srv/alice/file
printf '[Unit]\\nDescription=Mine\\n[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/touch /run/mine-ran\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/mine.service
systemctl --quiet enable mine.service
mkdir -p /tmp/pack/DEBIAN /tmp/pack/usr/share/my-package
printf 'Package: my-package\\nVersion: 1\\nArchitecture: all\\nMaintainer: me <me@example.com>\\nDescription: mine\\n' > /tmp/pack/DEBIAN/control
echo packed > /tmp/pack/usr/share/my-package/file
dpkg-deb --build /tmp/pack /tmp/my-package.deb > /dev/null
dpkg --install /tmp/my-package.deb > /dev/null
apt-mark manual my-package > /dev/null
echo '# mine' >> /etc/tmux.conf
echo '# broken' >> /usr/lib/foozol/set-display-size
cat /etc/foozol/machine > /run/before
END
tmux split-window -h -c ~/files
echo made`

/** What of it is there. */
const LOOK = `cd ~/files && sha256sum -c sum; cat 'with space'; readlink link; cat ~/.config/mine/setting; echo
stat -c '%a %U %G %n' /usr/local/bin/mine /opt/mine/data /srv/alice/file ~/files/large
[ -d /usr/local/lib/empty ] && echo empty
id -u alice; id -nG user | tr ' ' '\\n' | grep -x alice
ls /run/mine-ran; systemctl is-enabled mine.service
tmux list-panes -a -F '#{pane_current_path}'`
const THERE = `large: OK
a name
large
hidden
4755 root root /usr/local/bin/mine
644 root root /opt/mine/data
640 alice alice /srv/alice/file
644 user user /home/user/files/large
empty
1500
alice
/run/mine-ran
enabled
/home/user
/home/user/files`

/** What the image has brought, and how it is. */
const SYSTEM = `grep -c broken /usr/lib/foozol/set-display-size; grep -c mine /etc/tmux.conf
sudo grep -c mine /var/lib/foozol/before-upgrade/etc/tmux.conf; ls /usr/share/my-package/file 2> /dev/null`

describe("upgrade of a real machine to another image", function () {
  this.timeout(30 * MINUTES)
  let desk: GoldenDesk

  before(async function () {
    desk = await startGoldenDesk(this, { FOOZOL_AUTO_STOP: "false", FOOZOL_READY_SECONDS: "200" })
    await desk.open()
    assert.match(await desk.shell(MAKE), /^made$/m)
  })
  afterEach(function () {
    if (this.currentTest?.state !== "failed") return
    const lines = desk?.world.logged().split("\n") ?? []
    console.error(lines.filter(line => !line.includes('"msg":"request"')).join("\n"))
  })
  after(() => desk?.close())

  /** Upgrades to an image; returns the operation as it ended, and what it said. */
  async function upgradeTo(image: number) {
    await desk.world.restart({ FOOZOL_IMAGE_BROWSER: String(image) })
    const { operation } = await desk.api("POST", `/workspaces/${desk.workspace}/upgrade`)
    assert.ok(operation, "it has begun")
    await desk.closeTab()
    const end = await desk.isIn("RUNNING").then(() => desk.api("GET", `/operations/${operation.id}`))
    const steps = await desk.world.service().services.events.read(operation.id, null)
    if (process.env.VERBOSE) for (const { event } of steps) console.log(JSON.stringify(event))
    const said = steps.flatMap(({ event }) => (event.type === "log" ? [event.text] : []))
    return { end, said }
  }

  it("an image that does not come up: everything is as it was, the machine's own changes too", async () => {
    const { end } = await upgradeTo(await desk.world.register(await testImage()))
    assert.equal(end.state, "failed")
    assert.match(end.failure.message, /The workspace is as it was/)
    await desk.open()
    assert.equal(await desk.shell(LOOK), THERE)
    assert.equal(await desk.shell(SYSTEM), "1\n1\n1\n/usr/share/my-package/file")
  })

  it("another image: files, rights, users, services and panes are there; the system is the image's", async () => {
    const [before] = (await desk.world.cloud.api<{ servers: { id: number }[] }>("GET", "/servers")).servers
    // The same folder registered again is another image for the cloud.
    const { end, said } = await upgradeTo(await desk.world.register(desk.world.directory))
    assert.equal(end.state, "succeeded", JSON.stringify(end.failure))
    await desk.open()
    assert.equal(await desk.shell(LOOK), THERE)
    assert.equal(await desk.shell(SYSTEM), "0\n0\n1")
    const [after] = (await desk.world.cloud.api<{ servers: { id: number }[] }>("GET", "/servers")).servers
    assert.equal(after?.id, before?.id)
    // Nothing can be had from here; whoever asked is told what is missing.
    assert.ok(said.includes("to be installed by hand: my-package"), said.join("\n"))
    const { volumes } = await desk.world.cloud.api<{ volumes: unknown[] }>("GET", "/volumes")
    assert.deepEqual(volumes, [])
  })
})
