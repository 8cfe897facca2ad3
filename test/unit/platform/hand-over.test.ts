import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { isProof, isSignature, proofOf, publicHalf, signatureOf } from "../../../infra/platform/hand-over.ts"
import { platformUserData } from "../../../infra/platform/user-data.ts"

const { privateKey } = generateKeyPairSync("ed25519")
const operatorKey = publicHalf(privateKey)
const about = { challenge: "once", fingerprint: "AA:BB", body: '{"service":{}}' }

describe("handing over", () => {
  it("proves the server by its birth, for one question and one certificate", () => {
    const proof = proofOf("birth", "nonce", "AA:BB")
    assert.ok(isProof(proof, "birth", "nonce", "AA:BB"))
    for (const [birth, nonce, fingerprint] of [
      ["other", "nonce", "AA:BB"],
      ["birth", "other", "AA:BB"],
      ["birth", "nonce", "AA:CC"],
    ] as const)
      assert.ok(!isProof(proof, birth, nonce, fingerprint))
    assert.ok(!isProof("", "birth", "nonce", "AA:BB"))
  })

  it("proves the operator, for one challenge, one certificate and one content", () => {
    const signature = signatureOf(privateKey, about.challenge, about.fingerprint, about.body)
    assert.ok(isSignature(signature, operatorKey, about))
    for (const change of [{ challenge: "twice" }, { fingerprint: "AA:CC" }, { body: "{}" }])
      assert.ok(!isSignature(signature, operatorKey, { ...about, ...change }))
    const other = publicHalf(generateKeyPairSync("ed25519").privateKey)
    assert.ok(!isSignature(signature, other, about))
    for (const nonsense of ["", "AAAA", "x".repeat(500)]) assert.ok(!isSignature(nonsense, operatorKey, about))
  })

  it("user-data has what the server must know at birth, and the public half alone", () => {
    const told = platformUserData(
      {
        dns: { host: "cloud.desk.example", zone: "desk.example", makeZone: true, ttl: 300 },
        operatorKey,
        hostPorts: [],
      },
      { birth: "b".repeat(43) },
      "4711",
    )
    assert.deepEqual(JSON.parse(told), {
      ...{ foozolPlatform: 1, host: "cloud.desk.example", volume: "4711", operatorKey, birth: "b".repeat(43) },
      hostPorts: [],
    })
    const { d = "" } = privateKey.export({ format: "jwk" })
    assert.ok(!told.includes(d))
  })
})
