import assert from "node:assert/strict"
import { type ApiDescription, readApiDescription } from "../support/api-description.ts"
import { type ApiWalk, createApiWalk } from "../support/api-walk.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { skipSuite } from "../support/skip.ts"
import { TEST_ZONE } from "../support/workspace.ts"

/** Routes that answer nothing but an error, and why. */
const REFUSED = [
  // Removed by Hetzner: 410.
  /^GET \/datacenters/,
  // There is none to find.
  /^GET \/isos\/:id$/,
  /^(GET|POST) \/(networks|placement_groups|floating_ips|load_balancers|load_balancer_types|certificates)(\/:id)?$/,
  // Not offered, and said so: 422.
  /actions\/(enable_rescue|disable_rescue|attach_iso|detach_iso|reset_password|request_console|attach_to_network)$/,
  /actions\/(detach_from_network|change_alias_ips|add_to_placement_group|remove_from_placement_group)$/,
  /zones\/:zone\/actions\/(change_primary_nameservers|import_zonefile)$/,
]

const NOT_OFFERED = ["networks", "placement_groups", "floating_ips", "load_balancers", "certificates"]
const NOT_OFFERED_ACTIONS = [
  "enable_rescue",
  "disable_rescue",
  "attach_iso",
  "detach_iso",
  "reset_password",
  "request_console",
  "attach_to_network",
  "detach_from_network",
  "change_alias_ips",
  "add_to_placement_group",
  "remove_from_placement_group",
]
const SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1mQ0tGPTo3mB8cTgwSXaYFFx0BTuDkqg5Q0kQWz9zB someone@example.com"
const OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1mQ0tGPTo3mB8cTgwSXaYFFx0BTuDkqg5Q0kQWz9zC someone@example.com"

describe("local cloud: API as Hetzner's description has it", () => {
  let cloud: TestCloud
  let walk: ApiWalk

  before(async function () {
    const description: ApiDescription | null = readApiDescription()
    if (!description) return skipSuite(this, "Hetzner's API description is not beside the repository")
    cloud = await startTestCloud({ machines: "none" })
    walk = createApiWalk(cloud, description)
  })
  after(() => cloud?.close())
  afterEach(() => {
    assert.deepEqual(walk.deviations.splice(0), [])
  })

  const server = async (name: string, more: object = {}) =>
    (
      await walk.expect(201, "POST", "/servers", {
        name,
        server_type: "cx23",
        image: cloud.imageId,
        location: "fsn1",
        ...more,
      })
    ).server as { id: number; public_net: { ipv4: { id: number; ip: string }; ipv6: { id: number } } }

  it("catalog: locations, server types, prices", async () => {
    const { locations } = await walk.expect(200, "GET", "/locations")
    await walk.expect(200, "GET", `/locations/${locations[0].id}`)
    await walk.expect(404, "GET", "/locations/99", undefined, "not_found")
    const { server_types } = await walk.expect(200, "GET", "/server_types?per_page=50")
    assert.equal((await walk.expect(200, "GET", "/server_types?name=cx23")).server_types.length, 1)
    await walk.expect(200, "GET", `/server_types/${server_types[0].id}`)
    await walk.expect(404, "GET", "/server_types/999", undefined, "not_found")
    await walk.expect(200, "GET", "/pricing")
    await walk.expect(410, "GET", "/datacenters", undefined, "deprecated_api_endpoint")
    await walk.expect(410, "GET", "/datacenters/1", undefined, "deprecated_api_endpoint")
    await walk.expect(200, "GET", "/isos")
    await walk.expect(404, "GET", "/isos/1", undefined, "not_found")
  })

  it("what is not offered: empty lists and plain refusals", async () => {
    for (const kind of NOT_OFFERED) {
      await walk.expect(200, "GET", `/${kind}`)
      await walk.expect(404, "GET", `/${kind}/1`, undefined, "not_found")
      await walk.expect(422, "POST", `/${kind}`, {}, "unsupported_error")
    }
    await walk.expect(200, "GET", "/load_balancer_types")
    await walk.expect(404, "GET", "/load_balancer_types/1", undefined, "not_found")
  })

  it("SSH keys", async () => {
    const { ssh_key } = await walk.expect(201, "POST", "/ssh_keys", { name: "key", public_key: SSH_KEY })
    assert.match(ssh_key.fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
    const again = { name: "key", public_key: OTHER_KEY }
    await walk.expect(409, "POST", "/ssh_keys", again, "uniqueness_error")
    await walk.expect(409, "POST", "/ssh_keys", { name: "other", public_key: SSH_KEY }, "uniqueness_error")
    await walk.expect(422, "POST", "/ssh_keys", { name: "bad", public_key: "ssh-ed25519 AAAA" }, "invalid_input")
    assert.equal((await walk.expect(200, "GET", `/ssh_keys?fingerprint=${ssh_key.fingerprint}`)).ssh_keys.length, 1)
    assert.equal((await walk.expect(200, "GET", "/ssh_keys?fingerprint=00:00")).ssh_keys.length, 0)
    await walk.expect(200, "GET", `/ssh_keys/${ssh_key.id}`)
    const renamed = await walk.expect(200, "PUT", `/ssh_keys/${ssh_key.id}`, { name: "renamed" })
    assert.equal(renamed.ssh_key.name, "renamed")
    await walk.expect(204, "DELETE", `/ssh_keys/${ssh_key.id}`)
    await walk.expect(404, "GET", `/ssh_keys/${ssh_key.id}`, undefined, "not_found")
  })

  it("servers: made, found, changed, deleted", async () => {
    const { ssh_key } = await walk.expect(201, "POST", "/ssh_keys", { name: "access", public_key: OTHER_KEY })
    const { id } = await server("one", { ssh_keys: [ssh_key.id], labels: { role: "desk" }, user_data: "hello" })
    await walk.expect(409, "POST", "/servers", serverBody("one"), "uniqueness_error")
    await walk.expect(422, "POST", "/servers", { name: "two" }, "invalid_input")
    await walk.expect(422, "POST", "/servers", { ...serverBody("under_score") }, "invalid_input")
    await walk.expect(404, "POST", "/servers", { ...serverBody("two"), image: 9_999_999 }, "not_found")
    await walk.expect(422, "POST", "/servers", { ...serverBody("two"), server_type: "cx22" }, "invalid_input")
    await walk.expect(422, "POST", "/servers", { ...serverBody("two"), location: "ash" }, "invalid_input")
    const big = { ...serverBody("two"), user_data: "x".repeat(32 * 1024 + 1) }
    await walk.expect(422, "POST", "/servers", big, "invalid_input")
    assert.equal((await walk.expect(200, "GET", "/servers?label_selector=role%3Ddesk")).servers.length, 1)
    assert.equal((await walk.expect(200, "GET", "/servers?status=off")).servers.length, 0)
    await walk.expect(422, "GET", "/servers?label_selector=%3D%3D", undefined, "invalid_input")
    await walk.expect(422, "GET", "/servers?sort=color", undefined, "invalid_input")
    await walk.expect(200, "GET", `/servers/${id}`)
    await walk.expect(404, "GET", "/servers/9999999", undefined, "not_found")
    await walk.expect(200, "PUT", `/servers/${id}`, { name: "renamed", labels: { role: "desk", state: "new" } })
    await walk.expect(200, "GET", `/servers/${id}/metrics?type=cpu&start=2026-01-01T00:00:00Z&end=2026-01-01T01:00:00Z`)
    const deleted = await walk.expect(200, "DELETE", `/servers/${id}`)
    assert.equal(deleted.action.command, "delete_server")
    await walk.expect(404, "GET", `/servers/${id}`, undefined, "not_found")
    await walk.expect(404, "DELETE", `/servers/${id}`, undefined, "not_found")
    // An action outlives its server, as long as one asks for the action.
    await walk.expect(200, "GET", `/actions/${deleted.action.id}`)
    await walk.expect(404, "GET", `/servers/${id}/actions`, undefined, "not_found")
  })

  it("servers: their actions", async () => {
    const { id, public_net } = await server("acting")
    const act = (name: string, body: object = {}) => walk.expect(201, "POST", `/servers/${id}/actions/${name}`, body)
    const status = async () => (await walk.expect(200, "GET", `/servers/${id}`)).server.status as string
    assert.equal(await status(), "running")
    await act("reboot")
    await act("reset")
    await walk.expect(422, "POST", `/servers/${id}/actions/change_type`, typeBody("cx33"), "server_not_stopped")
    await act("shutdown")
    assert.equal(await status(), "off")
    await walk.expect(422, "POST", `/servers/${id}/actions/reboot`, {}, "server_not_running")
    await walk.expect(422, "POST", `/servers/${id}/actions/shutdown`, {}, "server_not_running")
    await walk.expect(422, "POST", `/servers/${id}/actions/change_type`, typeBody("cx23"), "invalid_input")
    await walk.expect(422, "POST", `/servers/${id}/actions/change_type`, typeBody("cax21"), "invalid_input")
    await act("change_type", typeBody("cx33"))
    assert.equal(await status(), "running", "a server that has got its new type is started")
    await act("poweroff")
    await walk.expect(422, "POST", `/servers/${id}/actions/change_type`, typeBody("cx23"), "invalid_server_type")
    await act("poweron")
    await walk.expect(422, "POST", `/servers/${id}/actions/create_image`, { type: "backup" }, "unsupported_error")
    await act("enable_backup")
    const { image } = await act("create_image", { type: "backup" })
    assert.equal((await walk.expect(200, "GET", `/images?type=backup&bound_to=${id}`)).images[0].id, image.id)
    await act("disable_backup")
    await walk.expect(404, "GET", `/images/${image.id}`, undefined, "not_found")
    await act("change_dns_ptr", { ip: public_net.ipv4.ip, dns_ptr: "desk.example.com" })
    assert.equal(await pointer(), "desk.example.com")
    await act("change_dns_ptr", { ip: public_net.ipv4.ip, dns_ptr: null })
    await walk.expect(422, "POST", `/servers/${id}/actions/change_protection`, { delete: true }, "invalid_input")
    await act("change_protection", { delete: true, rebuild: true })
    await walk.expect(423, "DELETE", `/servers/${id}`, undefined, "protected")
    await walk.expect(423, "POST", `/servers/${id}/actions/rebuild`, { image: cloud.imageId }, "protected")
    await act("change_protection", { delete: false, rebuild: false })
    await act("rebuild", { image: cloud.imageId })
    assert.equal(await status(), "running")
    for (const name of NOT_OFFERED_ACTIONS)
      await walk.expect(422, "POST", `/servers/${id}/actions/${name}`, {}, "unsupported_error")
    await walk.expect(404, "POST", "/servers/9999999/actions/poweron", {}, "not_found")
    await walk.expect(200, "DELETE", `/servers/${id}`)

    async function pointer() {
      return (await walk.expect(200, "GET", `/servers/${id}`)).server.public_net.ipv4.dns_ptr as string
    }
  })

  it("images: a snapshot survives its server, a backup can become one", async () => {
    const { id } = await server("pictured")
    const take = async (type: string) =>
      (await walk.expect(201, "POST", `/servers/${id}/actions/create_image`, { type, description: "mine" })).image
    const snapshot = await take("snapshot")
    await walk.expect(201, "POST", `/servers/${id}/actions/enable_backup`)
    const [kept, lost] = [await take("backup"), await take("backup")]
    await walk.expect(200, "PUT", `/images/${kept.id}`, { type: "snapshot", description: "kept", labels: { a: "b" } })
    await walk.expect(422, "PUT", `/images/${snapshot.id}`, { type: "snapshot" }, "unsupported_error")
    await walk.expect(200, "DELETE", `/servers/${id}`)
    await walk.expect(404, "GET", `/images/${lost.id}`, undefined, "not_found")
    await walk.expect(200, "GET", `/images/${snapshot.id}`)
    assert.equal((await walk.expect(200, "GET", "/images?type=snapshot")).images.length, 2)
    assert.equal((await walk.expect(200, "GET", "/images?type=snapshot&type=system")).images.length, 3)
    assert.equal((await walk.expect(200, "GET", "/images?architecture=arm")).images.length, 0)
    await walk.expect(200, "GET", `/images/${cloud.imageId}`)
    const protection = `/images/${snapshot.id}/actions/change_protection`
    await walk.expect(201, "POST", protection, { delete: true })
    await walk.expect(423, "DELETE", `/images/${snapshot.id}`, undefined, "protected")
    await walk.expect(201, "POST", protection, { delete: false })
    await walk.expect(204, "DELETE", `/images/${snapshot.id}`)
    await walk.expect(204, "DELETE", `/images/${kept.id}`)
    await walk.expect(404, "DELETE", `/images/${kept.id}`, undefined, "not_found")
  })

  it("firewalls", async () => {
    const { id } = await server("guarded", { labels: { guard: "yes" } })
    const rule = { direction: "in", protocol: "tcp", port: "443", source_ips: ["0.0.0.0/0", "::/0"] }
    const body = { name: "wall", rules: [rule], apply_to: [{ type: "server", server: { id } }] }
    const { firewall } = await walk.expect(201, "POST", "/firewalls", body)
    const path = `/firewalls/${firewall.id}`
    await walk.expect(409, "POST", "/firewalls", { name: "wall" }, "uniqueness_error")
    await walk.expect(422, "POST", "/firewalls", { name: "x", rules: [{ ...rule, port: "http" }] }, "invalid_input")
    const nobody = [{ type: "server", server: { id: 9_999_999 } }]
    await walk.expect(422, "POST", "/firewalls", { name: "x", apply_to: nobody }, "firewall_resource_not_found")
    await walk.expect(200, "GET", "/firewalls?name=wall")
    await walk.expect(200, "GET", path)
    await walk.expect(404, "GET", "/firewalls/9999999", undefined, "not_found")
    await walk.expect(200, "PUT", path, { name: "gate", labels: { a: "b" } })
    await walk.expect(422, "DELETE", path, undefined, "resource_in_use")
    const apply = `${path}/actions/apply_to_resources`
    const remove = `${path}/actions/remove_from_resources`
    await walk.expect(422, "POST", apply, { apply_to: body.apply_to }, "firewall_already_applied")
    await walk.expect(404, "POST", apply, { apply_to: nobody }, "firewall_resource_not_found")
    const labelled = [{ type: "label_selector", label_selector: { selector: "guard=yes" } }]
    await walk.expect(201, "POST", apply, { apply_to: labelled })
    assert.equal((await walk.expect(200, "GET", path)).firewall.applied_to.length, 2)
    await walk.expect(201, "POST", `${path}/actions/set_rules`, { rules: [] })
    await walk.expect(201, "POST", remove, { remove_from: body.apply_to })
    await walk.expect(422, "POST", remove, { remove_from: body.apply_to }, "firewall_resource_not_found")
    await walk.expect(422, "DELETE", path, undefined, "resource_in_use")
    await walk.expect(201, "POST", remove, { remove_from: labelled })
    await walk.expect(204, "DELETE", path)
    await walk.expect(200, "DELETE", `/servers/${id}`)
  })

  it("primary IPs", async () => {
    const body = { name: "address", type: "ipv4", assignee_type: "server", location: "fsn1" }
    const { primary_ip } = await walk.expect(201, "POST", "/primary_ips", body)
    const path = `/primary_ips/${primary_ip.id}`
    await walk.expect(409, "POST", "/primary_ips", body, "uniqueness_error")
    await walk.expect(422, "POST", "/primary_ips", { ...body, name: "x", location: "moon" }, "invalid_input")
    assert.equal((await walk.expect(200, "GET", `/primary_ips?ip=${primary_ip.ip}`)).primary_ips.length, 1)
    await walk.expect(200, "GET", path)
    await walk.expect(404, "GET", "/primary_ips/9999999", undefined, "not_found")
    await walk.expect(200, "PUT", path, { name: "renamed", auto_delete: false, labels: { a: "b" } })
    const bare = await server("bare", { public_net: { enable_ipv4: false, enable_ipv6: true } })
    const assign = { assignee_id: bare.id, assignee_type: "server" }
    await walk.expect(422, "POST", `${path}/actions/assign`, assign, "server_not_stopped")
    await walk.expect(201, "POST", `/servers/${bare.id}/actions/poweroff`)
    await walk.expect(201, "POST", `${path}/actions/assign`, assign)
    await walk.expect(422, "POST", `${path}/actions/assign`, assign, "primary_ip_already_assigned")
    await walk.expect(422, "DELETE", path, undefined, "must_be_unassigned")
    const another = { ...body, name: "another", assignee_id: bare.id, location: undefined }
    await walk.expect(422, "POST", "/primary_ips", another, "server_has_ipv4")
    await walk.expect(201, "POST", `${path}/actions/unassign`)
    await walk.expect(422, "POST", `${path}/actions/unassign`, {}, "primary_ip_already_unassigned")
    // A location may be given by its id, or by the server that gets the address.
    await walk.expect(201, "POST", "/primary_ips", { ...another, auto_delete: true })
    await walk.expect(201, "POST", `${path}/actions/change_dns_ptr`, { ip: primary_ip.ip, dns_ptr: "a.example.com" })
    await walk.expect(201, "POST", `${path}/actions/change_protection`, { delete: true })
    await walk.expect(423, "DELETE", path, undefined, "protected")
    await walk.expect(201, "POST", `${path}/actions/change_protection`, { delete: false })
    const given = await server("given", { public_net: { ipv4: primary_ip.id } })
    assert.equal(given.public_net.ipv4.ip, primary_ip.ip)
    const taken = { ...serverBody("taker"), public_net: { ipv4: primary_ip.id } }
    await walk.expect(422, "POST", "/servers", taken, "primary_ip_assigned")
    await walk.expect(200, "DELETE", `/servers/${given.id}`)
    await walk.expect(204, "DELETE", path)
    await walk.expect(200, "DELETE", `/servers/${bare.id}`)
    assert.equal((await walk.expect(200, "GET", "/primary_ips")).primary_ips.length, 0)
  })

  it("volumes", async () => {
    const { id } = await server("roomy")
    const made = await walk.expect(201, "POST", "/volumes", { name: "disk", size: 10, server: id, format: "ext4" })
    assert.deepEqual(
      made.next_actions.map((one: { command: string }) => one.command),
      ["attach_volume"],
    )
    const path = `/volumes/${made.volume.id}`
    await walk.expect(409, "POST", "/volumes", { name: "disk", size: 10, location: "fsn1" }, "uniqueness_error")
    await walk.expect(422, "POST", "/volumes", { name: "small", size: 1, location: "fsn1" }, "invalid_input")
    await walk.expect(422, "POST", "/volumes", { name: "nowhere", size: 10 }, "invalid_input")
    await walk.expect(200, "GET", "/volumes")
    await walk.expect(200, "GET", path)
    await walk.expect(404, "GET", "/volumes/9999999", undefined, "not_found")
    await walk.expect(200, "PUT", path, { name: "store", labels: { a: "b" } })
    await walk.expect(422, "DELETE", path, undefined, "resource_in_use")
    await walk.expect(201, "POST", `${path}/actions/detach`)
    await walk.expect(201, "POST", `${path}/actions/attach`, { server: id })
    await walk.expect(422, "POST", `${path}/actions/attach`, { server: id }, "volume_already_attached")
    await walk.expect(201, "POST", `${path}/actions/resize`, { size: 20 })
    await walk.expect(422, "POST", `${path}/actions/resize`, { size: 15 }, "invalid_input")
    const far = { ...serverBody("far"), location: "nbg1", volumes: [made.volume.id] }
    await walk.expect(422, "POST", "/servers", far, "volume_already_attached")
    await walk.expect(200, "DELETE", `/servers/${id}`)
    await walk.expect(422, "POST", "/servers", far, "invalid_input")
    await walk.expect(201, "POST", `${path}/actions/change_protection`, { delete: true })
    await walk.expect(423, "DELETE", path, undefined, "protected")
    await walk.expect(201, "POST", `${path}/actions/change_protection`, { delete: false })
    await walk.expect(204, "DELETE", path)
  })

  it("zones", async () => {
    const { zone } = await walk.expect(201, "POST", "/zones", { name: "walk.example", mode: "primary" })
    await walk.expect(409, "POST", "/zones", { name: "walk.example", mode: "primary" }, "uniqueness_error")
    await walk.expect(422, "POST", "/zones", { name: "Walk", mode: "primary" }, "invalid_input")
    assert.equal((await walk.expect(200, "GET", "/zones")).zones.length, 2)
    await walk.expect(200, "GET", `/zones/${zone.id}`)
    await walk.expect(200, "GET", "/zones/walk.example")
    await walk.expect(404, "GET", "/zones/nobody.example", undefined, "not_found")
    await walk.expect(200, "PUT", "/zones/walk.example", { labels: { a: "b" } })
    await walk.expect(201, "POST", "/zones/walk.example/actions/change_ttl", { ttl: 300 })
    const { zonefile } = await walk.expect(200, "GET", "/zones/walk.example/zonefile")
    assert.match(zonefile, /^\$ORIGIN\twalk\.example\.\n\$TTL\t300\n/)
    const servers = { primary_nameservers: [{ address: "192.0.2.1" }] }
    await walk.expect(
      422,
      "POST",
      "/zones/walk.example/actions/change_primary_nameservers",
      servers,
      "incorrect_zone_mode",
    )
    await walk.expect(422, "POST", "/zones/walk.example/actions/import_zonefile", { zonefile }, "unsupported_error")
    await walk.expect(201, "POST", "/zones/walk.example/actions/change_protection", { delete: true })
    await walk.expect(423, "DELETE", "/zones/walk.example", undefined, "protected")
    await walk.expect(201, "POST", "/zones/walk.example/actions/change_protection", { delete: false })
    const { action } = await walk.expect(201, "DELETE", "/zones/walk.example")
    assert.equal(action.command, "delete_zone")
    await walk.expect(404, "GET", `/zones/${zone.id}`, undefined, "not_found")
  })

  it("record sets", async () => {
    const base = `/zones/${TEST_ZONE}/rrsets`
    const body = { name: "desk", type: "A", ttl: 60, records: [{ value: "127.77.0.1", comment: "first" }] }
    await walk.expect(201, "POST", base, body)
    await walk.expect(409, "POST", base, body, "uniqueness_error")
    await walk.expect(422, "POST", base, { ...body, name: "v6", type: "AAAA" }, "invalid_input")
    await walk.expect(422, "POST", base, { ...body, type: "CNAME", records: [{ value: "x" }] }, "invalid_input")
    await walk.expect(200, "GET", `${base}?type=A&per_page=100`)
    assert.equal((await walk.expect(200, "GET", `${base}?name=desk`)).rrsets.length, 1)
    const one = `${base}/desk/A`
    await walk.expect(200, "GET", one)
    await walk.expect(404, "GET", `${base}/nobody/A`, undefined, "not_found")
    await walk.expect(200, "PUT", one, { labels: { a: "b" } })
    await walk.expect(201, "POST", `${one}/actions/set_records`, { records: [{ value: "127.77.0.2" }] })
    await walk.expect(201, "POST", `${one}/actions/add_records`, { records: [{ value: "127.77.0.3" }] })
    const comment = { records: [{ value: "127.77.0.3", comment: "third" }] }
    await walk.expect(200, "POST", `${one}/actions/update_records`, comment)
    const { rrset } = await walk.expect(200, "GET", one)
    assert.deepEqual(rrset.records, [{ value: "127.77.0.2", comment: "" }, comment.records[0]])
    await walk.expect(201, "POST", `${one}/actions/change_ttl`, { ttl: 120 })
    await walk.expect(201, "POST", `${one}/actions/change_protection`, { change: true })
    await walk.expect(423, "DELETE", one, undefined, "protected")
    await walk.expect(201, "POST", `${one}/actions/change_protection`, { change: false })
    await walk.expect(201, "POST", `${one}/actions/remove_records`, { records: rrset.records })
    await walk.expect(404, "GET", one, undefined, "not_found")
    // Adding to a set that is not there makes it; `*` and `@` are names.
    const wild = `${base}/${encodeURIComponent("*.apps")}/A`
    await walk.expect(201, "POST", `${wild}/actions/add_records`, { records: [{ value: "127.77.0.4" }], ttl: 60 })
    await walk.expect(200, "GET", wild)
    await walk.expect(201, "DELETE", wild)
    await walk.expect(200, "GET", `${base}/@/NS`)
  })

  it("actions of every kind of resource", async () => {
    const { id, public_net } = await server("logged")
    await walk.expect(201, "POST", `/servers/${id}/actions/enable_backup`)
    const { image } = await walk.expect(201, "POST", `/servers/${id}/actions/create_image`, {})
    const { firewall } = await walk.expect(201, "POST", "/firewalls", { name: "logged" })
    const { volume } = await walk.expect(201, "POST", "/volumes", { name: "logged", size: 10, server: id })
    const ip = public_net.ipv4.id
    await walk.expect(201, "POST", `/primary_ips/${ip}/actions/change_protection`, { delete: false })
    const owners: [string, number | string][] = [
      ["servers", id],
      ["images", image.id],
      ["firewalls", firewall.id],
      ["volumes", volume.id],
      ["primary_ips", ip],
      ["zones", TEST_ZONE],
    ]
    for (const [plural, owner] of owners) {
      const { actions } = await walk.expect(200, "GET", `/${plural}/${owner}/actions?sort=id:desc&status=success`)
      assert.ok(actions.length > 0, plural)
      await walk.expect(200, "GET", `/${plural}/${owner}/actions/${actions[0].id}`)
      await walk.expect(200, "GET", `/${plural}/actions/${actions[0].id}`)
      await walk.expect(200, "GET", `/${plural}/actions?sort=command`)
      await walk.expect(200, "GET", `/actions/${actions[0].id}`)
      await walk.expect(200, "GET", `/actions?id=${actions[0].id}`)
      await walk.expect(404, "GET", `/${plural}/9999999/actions`, undefined, "not_found")
      await walk.expect(404, "GET", `/${plural}/actions/9999999`, undefined, "not_found")
    }
    const [first] = (await walk.expect(200, "GET", `/firewalls/${firewall.id}/actions`)).actions
    await walk.expect(404, "GET", `/servers/actions/${first.id}`, undefined, "not_found")
    await walk.expect(422, "GET", "/actions", undefined, "invalid_input")
    await walk.expect(200, "DELETE", `/servers/${id}`)
  })

  it("every route was called, and answered with success unless it refuses always", () => {
    assert.deepEqual(walk.neverCalled(), ["POST /load_balancer_types"])
    assert.deepEqual(
      walk.neverSucceeded().filter(name => !REFUSED.some(pattern => pattern.test(name))),
      [],
    )
  })

  const serverBody = (name: string) => ({ name, server_type: "cx23", image: cloud.imageId, location: "fsn1" })
})

const typeBody = (server_type: string) => ({ server_type, upgrade_disk: true })
