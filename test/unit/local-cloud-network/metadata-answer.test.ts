import assert from "node:assert/strict"
import { metadataAnswer } from "../../../local-cloud/machines/qemu/metadata-answer.ts"

const metadata = {
  instanceId: 42,
  hostname: "one",
  publicIpv4: "127.77.0.1",
  region: "eu-central",
  availabilityZone: "fsn1-dc14",
  publicKeys: ['ssh-ed25519 AAAA me: "quoted"'],
  userData: "#cloud-config\nä: ü\n",
}
const read = (name: string, change = {}) => metadataAnswer({ ...metadata, ...change }, `/hetzner/v1/${name}`)

describe("metadataAnswer()", () => {
  it("answers single values as plain text", () => {
    assert.equal(read("userdata"), metadata.userData)
    assert.equal(read("metadata/hostname"), "one")
    assert.equal(read("metadata/instance-id"), "42")
    assert.equal(read("metadata/public-ipv4"), "127.77.0.1")
    assert.equal(read("metadata/public-ipv4", { publicIpv4: null }), "")
    assert.equal(read("metadata/region"), "eu-central")
    assert.equal(read("metadata/availability-zone"), "fsn1-dc14")
    assert.equal(read("metadata/public-keys"), JSON.stringify(metadata.publicKeys))
    assert.equal(read("metadata/private-networks"), "[]\n")
  })

  it("answers the whole as YAML", () => {
    assert.equal(
      read("metadata"),
      `availability-zone: fsn1-dc14
hostname: one
instance-id: 42
local-ipv4: ''
network-config:
  config:
  - mac_address: 92:00:00:00:00:2a
    name: eth0
    subnets:
    - ipv4: true
      type: dhcp
    type: physical
  version: 1
public-ipv4: 127.77.0.1
public-keys:
- "ssh-ed25519 AAAA me: \\"quoted\\""
region: eu-central
`,
    )
    const withIpv6 = read("metadata", { publicIpv6: "2001:db8:5:1::1/64" }) ?? ""
    assert.match(
      withIpv6,
      /^ {4}- address: 2001:db8:5:1::1\/64\n {6}gateway: fe80::1\n {6}ipv6: true\n {6}type: static$/m,
    )
    assert.equal(read("metadata/"), read("metadata"))
    assert.match(
      read("metadata", { publicKeys: [], hostname: "true", publicIpv4: null }) ?? "",
      /hostname: "true"[\s\S]*public-ipv4: ""\npublic-keys: \[\]\n/,
    )
  })

  it("knows nothing else", () => {
    for (const path of [
      "/",
      "/hetzner/v1/",
      "/hetzner/v1/metadata/toString",
      "/hetzner/v1/constructor",
      "/latest/meta-data",
    ]) {
      assert.equal(metadataAnswer(metadata, path), null, path)
    }
  })
})
