import assert from "node:assert/strict"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { archiveOf } from "../../../image-builder/archive.ts"
import { bootstrapCommand } from "../../../image-builder/base-system.ts"
import { loadOrder } from "../../../image-builder/boot-files.ts"
import { imageHash } from "../../../image-builder/build-local.ts"
import { ramDisk } from "../../../image-builder/cpio.ts"
import { PROFILES, packagesOf } from "../../../image-builder/definition.ts"
import { layerFiles } from "../../../image-builder/layers.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("image definition", () => {
  const debian = {
    distribution: "debian",
    suite: "bookworm",
    sources: ["deb http://mirror/ bookworm main"],
    options: [],
  }

  describe("#packagesOf()", () => {
    it("has the display, the door and the browser in both profiles", () => {
      for (const profile of Object.values(PROFILES)) {
        const packages = packagesOf(profile, "debian")
        for (const name of ["xvfb", "x11vnc", "nginx", "chromium", "tmux"]) assert.ok(packages.includes(name), name)
        assert.deepEqual(packages, [...new Set(packages)].sort())
      }
    })
    it("takes the names of the distribution, and leaves out what it has not", () => {
      const packages = packagesOf(PROFILES.browser, "ubuntu")
      assert.ok(packages.includes("libasound2t64"))
      assert.ok(!packages.includes("libasound2"))
      assert.ok(!packages.includes("chromium") && !packages.includes(""))
    })
  })

  describe("#archiveOf()", () => {
    const configuration = 'Acquire::http::Proxy "http://proxy:1";\nAPT::Sandbox "x";\nAcquire::Check-Date "false";\n'
    const rows = [
      "Debian bookworm http://mirror/debian/ bookworm main",
      "Debian bookworm http://mirror/debian/ bookworm contrib",
      "Debian bookworm-security http://mirror/security/ bookworm-security main",
      "Other bookworm http://elsewhere/ bookworm main",
    ]
    it("is what apt uses here, and how it gets there", () => {
      assert.deepEqual(archiveOf(rows.join("\n"), configuration), {
        distribution: "debian",
        suite: "bookworm",
        sources: [
          "deb http://mirror/debian/ bookworm main contrib",
          "deb http://mirror/security/ bookworm-security main",
        ],
        options: ['Acquire::http::Proxy "http://proxy:1";', 'Acquire::Check-Date "false";'],
      })
    })
    it("is Ubuntu's where there is one", () => {
      const both = [...rows, "Ubuntu noble http://mirror/ubuntu/ noble main"].join("\n")
      assert.equal(archiveOf(both, "")?.distribution, "ubuntu")
    })
    it("is null where there is none", () => {
      assert.equal(archiveOf("Debian trixie http://mirror/ trixie main", ""), null)
    })
  })

  describe("#imageHash()", () => {
    const hashWith = async (text: string, given: Parameters<typeof imageHash>[0], archive = debian) => {
      const { path, remove } = await temporaryDirectory("fc-")
      try {
        await mkdir(join(path, "usr"))
        await writeFile(join(path, "usr", "agent.mjs"), text)
        return await imageHash(given, archive as Parameters<typeof imageHash>[1], path)
      } finally {
        await remove()
      }
    }
    it("is the same for the same, and another for another profile, bundle, app or distribution", async () => {
      const first = await hashWith("1", { profile: "browser" })
      assert.match(first, /^[0-9a-f]{16}$/)
      assert.equal(await hashWith("1", { profile: "browser" }), first)
      const app = { kind: "npm", package: "app@1.0.0", start: "node ." } as const
      const others = [
        await hashWith("2", { profile: "browser" }),
        await hashWith("1", { profile: "desktop" }),
        await hashWith("1", { profile: "browser", app }),
        await hashWith("1", { profile: "browser" }, { ...debian, distribution: "ubuntu", suite: "noble" }),
      ]
      assert.equal(new Set([first, ...others]).size, 5)
    })
  })

  describe("#bootstrapCommand()", () => {
    it("names no archive: it comes by standard input", () => {
      const command = bootstrapCommand(debian as Parameters<typeof bootstrapCommand>[0], ["git"])
      assert.deepEqual(command.slice(-3), ["bookworm", "-", "-"])
      assert.ok(!command.join(" ").includes("http://"))
    })
  })

  describe("#layerFiles()", () => {
    it("gives another name to all that lies above a change", () => {
      const names = (base: number, top: number) => layerFiles([base, 7, top].map(inputs => ({ name: "l", inputs })))
      const before = names(1, 1)
      const changedTop = names(1, 2)
      assert.deepEqual(changedTop.slice(0, 2), before.slice(0, 2))
      assert.notEqual(changedTop[2], before[2])
      assert.ok(names(2, 1).every((name, index) => name !== before[index]))
    })
  })

  describe("#loadOrder()", () => {
    it("puts what a module needs before it, and leaves out what is built in", () => {
      const list =
        "kernel/virtio_blk.ko.xz: kernel/virtio.ko kernel/ring.ko\nkernel/virtio.ko: kernel/ring.ko\nkernel/ring.ko:\n"
      assert.deepEqual(loadOrder(list, ["virtio-blk".replace("-", "_"), "ext4"]), [
        "kernel/ring.ko",
        "kernel/virtio.ko",
        "kernel/virtio_blk.ko.xz",
      ])
    })
  })

  describe("#ramDisk()", () => {
    it("is an archive that the kernel reads", () => {
      const archive = ramDisk([{ path: "bin" }, { path: "init", content: Buffer.from("#!"), isExecutable: true }])
      assert.equal(archive.length % 4, 0)
      assert.equal(archive.subarray(0, 6).toString(), "070701")
      assert.ok(archive.includes("TRAILER!!!"))
    })
  })
})
