import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, readFile, rm, stat } from "node:fs/promises"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { envFile } from "../../../image-builder/platform/keeper/env-file.ts"
import { keptIn } from "../../../image-builder/platform/keeper/kept.ts"
import { createKeeperServer } from "../../../image-builder/platform/keeper/server.ts"
import {
  HAND_OVER_PATH,
  type HandOver,
  type Introduction,
  isProof,
  publicHalf,
  SIGNATURE_HEADER,
  signatureOf,
} from "../../../infra/platform/hand-over.ts"
import { Settings } from "../../../service/settings.ts"

const { privateKey } = generateKeyPairSync("ed25519")
const body = JSON.stringify({ service: { FOOZOL_SECRET: "s3cret" }, certificate: null })

describe("the keeper", () => {
  let server: Server
  let url: string
  let now = 1_000_000
  let fingerprint = "AA:BB"
  const taken: HandOver[] = []
  const heard: string[] = []

  before(async () => {
    server = createKeeperServer({
      ...{ birth: "birth", operatorKey: publicHalf(privateKey), now: () => now, heard: what => heard.push(what) },
      fingerprint: async () => fingerprint,
      service: async () => "waits for its settings",
      take: async given => {
        taken.push(given)
      },
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${HAND_OVER_PATH}`
  })
  after(() => server.close())

  const nonce = "n".repeat(43)
  const ask = async () => (await (await fetch(`${url}?nonce=${nonce}`)).json()) as Introduction
  const hand = async (challenge: string, signature: string, sent = body) =>
    (await fetch(url, { method: "POST", body: sent, headers: { [SIGNATURE_HEADER]: `${challenge}.${signature}` } }))
      .status
  const sign = (challenge: string, over = body) => signatureOf(privateKey, challenge, "AA:BB", over)

  it("proves itself, and takes what is signed, once", async () => {
    const { proof, challenge, service } = await ask()
    assert.ok(isProof(proof, "birth", nonce, "AA:BB"))
    assert.equal(service, "waits for its settings")
    assert.equal(await hand(challenge, sign(challenge)), 200)
    assert.deepEqual(taken, [JSON.parse(body)])
    assert.equal(await hand(challenge, sign(challenge)), 403, "a second time")
  })

  it("takes nothing of anybody else", async () => {
    taken.length = 0
    const other = generateKeyPairSync("ed25519").privateKey
    let { challenge } = await ask()
    assert.equal(await hand(challenge, signatureOf(other, challenge, "AA:BB", body)), 403, "another key")
    challenge = (await ask()).challenge
    assert.equal(await hand(challenge, sign(challenge), `${body} `), 403, "another content")
    challenge = (await ask()).challenge
    now += 61_000
    assert.equal(await hand(challenge, sign(challenge)), 403, "too late")
    challenge = (await ask()).challenge
    fingerprint = "CC:DD"
    assert.equal(await hand(challenge, sign(challenge)), 403, "for another certificate, as by somebody in between")
    fingerprint = "AA:BB"
    assert.equal(await hand("made-up", sign("made-up")), 403, "a challenge of one's own")
    assert.equal(await hand("", ""), 403)
    assert.equal((await fetch(url, { method: "POST", body: "x".repeat(100_000) })).status, 413)
    assert.equal((await fetch(url)).status, 400)
    assert.equal((await fetch(url.replace(HAND_OVER_PATH, "/other"))).status, 404)
    assert.deepEqual(taken, [])
    assert.ok(!heard.join().includes("s3cret"))
  })

  it("keeps few challenges, however many are asked for", async () => {
    const { challenge } = await ask()
    for (let i = 0; i < 70; i++) await ask()
    assert.equal(await hand(challenge, sign(challenge)), 403)
  })

  describe("what it keeps", () => {
    it("is written as systemd reads it", () => {
      assert.equal(
        envFile({ FOOZOL_B: 'a"b\\c$d`e', AWS_A: "two\nlines" }),
        'AWS_A="two\nlines"\nFOOZOL_B="a\\"b\\\\c\\$d\\`e"\n',
      )
      for (const name of ["LD_PRELOAD", "NODE_OPTIONS", "PATH", "FOOZOL_A\nB", "FOOZOL_"])
        assert.throws(() => envFile({ [name]: "x" }), /is no setting/)
      assert.throws(
        () => envFile({ FOOZOL_SECRET: "a\0b" }),
        (error: Error) => !error.message.includes("a\0b"),
      )
    })

    it("takes every setting that the service has", () => {
      const all = Object.fromEntries(Object.keys(Settings.shape).map(name => [name, "x"]))
      assert.equal(envFile(all).split("\n").length, Object.keys(all).length + 1)
    })

    it("is nobody else's to read, and says whether it is new", async () => {
      const folder = await mkdtemp(join(tmpdir(), "kept-"))
      try {
        const kept = keptIn(folder)
        assert.equal(await kept.hasSettings(), false)
        assert.equal(await kept.certificate(), null)
        const given = JSON.parse(body) as HandOver
        assert.equal(await kept.keep(given), true)
        assert.equal(await kept.keep(given), false)
        assert.equal((await stat(join(folder, "service.env"))).mode & 0o777, 0o600)
        assert.equal(await readFile(join(folder, "service.env"), "utf8"), 'FOOZOL_SECRET="s3cret"\n')
        await assert.rejects(kept.keep({ service: { PATH: "/tmp" }, certificate: null }), /PATH/)
        assert.equal(await kept.hasSettings(), true)
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  })
})
