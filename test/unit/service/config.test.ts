import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { isLoopback } from "../../../service/config/addresses.ts"
import { ConfigError } from "../../../service/config/error.ts"
import { environmentWithFile, readConfig } from "../../../service/config.ts"
import { Settings } from "../../../service/settings.ts"
import { selfSignedCertificate } from "../../support/certificate.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const NEEDED = {
  FOOZOL_SECRET: "s".repeat(32),
  FOOZOL_GITHUB_CLIENT_ID: "id",
  FOOZOL_GITHUB_CLIENT_SECRET: "a client secret",
  FOOZOL_ALLOW: "everyone",
  FOOZOL_ZONE: "desk.example.com",
}
const PUBLIC = { ...NEEDED, FOOZOL_URL: "https://cloud.example.com" }

/** What is said about settings that are refused. */
function refusal(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message
  }
  assert.fail(`These were taken: ${JSON.stringify(env)}`)
}

describe("settings of the service", () => {
  it("are taken with what is needed alone, and have the defaults the requirements name", () => {
    const config = readConfig(NEEDED)
    assert.equal(config.url, "http://127.0.0.1:8080")
    assert.equal(config.machineUrl, config.url)
    assert.deepEqual(config.quota, { desktop: 1, total: 3 })
    assert.deepEqual(config.roles, ["web", "worker"])
    assert.equal(config.trustProxy, false)
    assert.deepEqual(config.repositoryHosts, ["github.com", "gitlab.com", "codeberg.org", "bitbucket.org"])
    const own = readConfig({ ...NEEDED, FOOZOL_REPOSITORY_HOSTS: "git.Example.com, github.com" })
    assert.deepEqual(own.repositoryHosts, ["git.example.com", "github.com"])
  })

  it("that are missing are all named at once, each with what to do", () => {
    const said = refusal({})
    for (const name of Object.keys(NEEDED)) assert.match(said, new RegExp(`^  ${name} is missing: .+`, "m"))
    assert.equal(said.split("\n").length, 1 + Object.keys(NEEDED).length)
  })

  it("that are empty count as missing", () => {
    assert.match(refusal({ ...NEEDED, FOOZOL_ZONE: "" }), /FOOZOL_ZONE is missing/)
  })

  it("say what is offered to whom, and refuse rules that offer nothing", () => {
    assert.equal(readConfig(NEEDED).offers, null)
    const [everyone, acme] =
      readConfig({ ...NEEDED, FOOZOL_OFFERS: "everyone=hetzner//small; org:Acme=hetzner" }).offers ?? []
    assert.deepEqual(everyone, {
      whom: ["everyone"],
      what: [{ provider: "hetzner", region: null, sizeClass: "small" }],
    })
    assert.deepEqual(acme, { whom: ["org:acme"], what: [{ provider: "hetzner", region: null, sizeClass: null }] })
    const said = (offers: string, more = {}) => refusal({ ...NEEDED, FOOZOL_OFFERS: offers, ...more })
    assert.match(said("everyone=gcp"), /FOOZOL_OFFERS names gcp, where new workspaces are not: there is hetzner/)
    assert.match(
      said("everyone=hetzner/ash", { FOOZOL_REGIONS: "fsn1 nbg1" }),
      /FOOZOL_OFFERS names the region ash, which is not offered: there is fsn1, nbg1/,
    )
    assert.match(
      said("everyone=azure"),
      /FOOZOL_OFFERS knows no provider "azure".*there are hetzner, gcp, or \* for any/,
    )
    assert.match(said("everyone=hetzner/fsn1/huge"), /knows no size "huge".*there are small, medium, large/)
    assert.match(said("everyone=hetzner/Fsn1"), /must have a region such as fsn1 after the first \/, or \*, not "Fsn1"/)
    assert.match(said("team:acme=hetzner"), /must name everyone, user:NAME or org:NAME before each =, not "team:acme"/)
    assert.match(said("everyone hetzner"), /must be WHOM=PROVIDER\/REGION\/SIZE.*"everyone hetzner" is not/)
    assert.match(said("everyone="), /says nothing of what everyone may take/)
    assert.match(said("everyone=hetzner/fsn1/small/more"), /too many parts/)
  })

  it("say which spare machines are kept, of what can be had, and none unless told", () => {
    assert.deepEqual(readConfig(NEEDED).warm, { kinds: [], monthly: 0, maxAgeMs: 72 * 3_600_000 })
    const given = {
      FOOZOL_WARM: "hetzner/fsn1/small/browser = 2;",
      FOOZOL_WARM_MONTHLY: "12.5",
      FOOZOL_WARM_HOURS: "1",
    }
    const kind = { provider: "hetzner", region: "fsn1", sizeClass: "small", profile: "browser", count: 2, most: 2 }
    assert.deepEqual(readConfig({ ...NEEDED, ...given }).warm, { kinds: [kind], monthly: 12.5, maxAgeMs: 3_600_000 })
    const open = readConfig({ ...NEEDED, FOOZOL_WARM: "hetzner/fsn1/small/browser=1 - 6" }).warm.kinds
    assert.deepEqual(open, [{ ...kind, count: 1, most: 6 }])
    const said = (warm: string, more = {}) => refusal({ ...NEEDED, FOOZOL_WARM: warm, ...more })
    assert.match(said("gcp/us-central1-a/medium/browser=1"), /FOOZOL_WARM names gcp, where new workspaces are not/)
    assert.match(
      said("hetzner/ash/small/browser=1", { FOOZOL_REGIONS: "fsn1 nbg1" }),
      /FOOZOL_WARM names the region ash, which is not offered: there is fsn1, nbg1/,
    )
    assert.match(
      said("hetzner/fsn1/small=2"),
      /must be PROVIDER\/REGION\/SIZE\/PROFILE=COUNT.*"hetzner\/fsn1\/small=2" is not/,
    )
    assert.match(said("hetzner/fsn1/small/browser=6-1"), /must name the smaller number first, not 6-1/)
    assert.match(said("hetzner/fsn1/small/browser=1-1001"), /1000 spare machines of a kind at most/)
    assert.match(said("hetzner/fsn1/small/browser=-1"), /PROVIDER\/REGION\/SIZE\/PROFILE=COUNT/)
    assert.match(said("hetzner/fsn1/huge/browser=1"), /knows no size "huge".*small, medium, large/)
    assert.match(said("hetzner/fsn1/small/browser=1001"), /1000 spare machines of a kind at most/)
    assert.match(
      said("hetzner/fsn1/small/browser=1;hetzner/fsn1/small/browser=2"),
      /names hetzner\/fsn1\/small\/browser twice/,
    )
  })

  /** One wrong value for each setting that can be wrong. */
  const wrong: Record<string, string> = {
    FOOZOL_URL: "cloud.example.com",
    FOOZOL_LISTEN: "8080",
    FOOZOL_MACHINE_URL: "ftp://cloud.example.com",
    FOOZOL_TRUST_PROXY: "yes",
    FOOZOL_METRICS_LISTEN: "on",
    FOOZOL_ROLES: "web,cook",
    FOOZOL_REDIS_URL: "http://127.0.0.1:6379",
    FOOZOL_SECRET: "short",
    FOOZOL_GITHUB_URL: "github.com",
    FOOZOL_ALLOW: "everybody",
    FOOZOL_SIGN_UP_CAP: "-1",
    FOOZOL_QUOTA_DESKTOP: "many",
    FOOZOL_QUOTA_TOTAL: "0",
    FOOZOL_LOGIN_IDLE_HOURS: "1.5",
    FOOZOL_LOGIN_MAX_HOURS: "100000",
    FOOZOL_ZONE: "desk_example",
    FOOZOL_ACME_DIRECTORY: "http://acme.example/directory",
    FOOZOL_ACME_CONTACT: "nobody",
    FOOZOL_ACME_EAB_KID: "two words",
    FOOZOL_ACME_EAB_KEY: "short",
    FOOZOL_ACME_CHAIN: "x".repeat(201),
    FOOZOL_ACME_TRUST: "roots.pem",
    FOOZOL_ACME_WEEK: "many",
    FOOZOL_ACME_2_DIRECTORY: "http://acme.example/directory",
    FOOZOL_ACME_2_EAB_KID: "two words",
    FOOZOL_ACME_2_EAB_KEY: "short",
    FOOZOL_ACME_2_CHAIN: "x".repeat(201),
    FOOZOL_ACME_2_TRUST: "roots.pem",
    FOOZOL_ACME_2_WEEK: "-1",
    FOOZOL_DESKTOP_PORT: "65536",
    FOOZOL_OFFERS: "everyone=azure",
    FOOZOL_REGIONS: "Falkenstein!",
    FOOZOL_REPOSITORY_HOSTS: "https://github.com",
    FOOZOL_IMAGE_BROWSER: "newest",
    FOOZOL_IMAGE_DESKTOP: "0",
    FOOZOL_PROJECTS: "two=short",
    FOOZOL_PROJECT_WORKSPACES: "-1",
    FOOZOL_WARM: "some",
    FOOZOL_WARM_MONTHLY: "-1",
    FOOZOL_WARM_HOURS: "0",
    FOOZOL_OPERATIONS_PER_PROVIDER: "0",
    FOOZOL_ENGINE_CHILDREN: "65",
    FOOZOL_READY_SECONDS: "9",
    FOOZOL_HOST_LOST_SECONDS: "59",
    FOOZOL_STOP_MODE: "sleep",
    FOOZOL_BACKUPS: "sometimes",
    FOOZOL_BACKUP_DAYS: "0",
    FOOZOL_BACKUP_S3_ENDPOINT: "s3.example.com",
    FOOZOL_BACKUP_S3_MACHINE_ENDPOINT: "10.0.0.2:9000",
    FOOZOL_BACKUP_S3_BUCKET: "My Bucket",
    FOOZOL_BACKUP_S3_REGION: "near here",
    FOOZOL_BACKUP_S3_ACCESS_KEY_ID: "two words",
    FOOZOL_BACKUP_S3_SECRET_ACCESS_KEY: "two words",
    FOOZOL_BACKUP_S3_PREFIX: "foozol",
    FOOZOL_BACKUP_S3_HOURS: "0",
    FOOZOL_BACKUP_S3_STOP_SECONDS: "-1",
    FOOZOL_DRIFT_HOURS: "721",
    FOOZOL_BACKUP_NIGHT: "24-6",
    FOOZOL_BACKUPS_AT_ONCE: "0",
    FOOZOL_PROOF_DAYS: "8",
    FOOZOL_PROOFS_AT_ONCE: "0",
    FOOZOL_PROOF_SECONDS: "29",
    FOOZOL_FINAL_SNAPSHOT_DAYS: "-1",
    FOOZOL_IDLE_SECONDS: "0",
    FOOZOL_IDLE_WEIGHTS: "sleep=1",
    FOOZOL_IDLE_CPU: "0",
    FOOZOL_IDLE_SILENT_SECONDS: "soon",
    FOOZOL_PROVIDER_PATIENCE_SECONDS: "-1",
    FOOZOL_ENGINE_SILENCE_SECONDS: "5",
    FOOZOL_IDLE_STOP_SECONDS: "0",
    FOOZOL_IDLE_WARNING_SECONDS: "0",
    FOOZOL_IDLE_CHECK_SECONDS: "0",
    FOOZOL_AUTO_STOP: "yes",
    FOOZOL_AGENT_WAIT_SECONDS: "0",
    FOOZOL_AUDIT_DIRECTORY: "audit",
    FOOZOL_USAGE_DIRECTORY: "usage",
    FOOZOL_SECRET_PREVIOUS: "too short",
    FOOZOL_STATE_BACKUP_DIRECTORY: "backups",
    FOOZOL_STATE_BACKUP_HOURS: "0",
    FOOZOL_STATE_BACKUP_KEEP: "0",
    FOOZOL_BUDGET: "0",
    FOOZOL_SMTP_URL: "mail.example.com:25",
    FOOZOL_SMTP_FROM: "nobody",
    FOOZOL_LOG_LEVEL: "loud",
    FOOZOL_PROVIDERS: "moon",
    FOOZOL_GCP_PROJECTS: "X",
    FOOZOL_GCP_ZONES: "us-central1",
    FOOZOL_GCP_MARKET: "black",
    FOOZOL_REGION_PROBES: "fsn1=http://near.example.com",
    FOOZOL_GCP_CREDENTIALS: "/nobody/has/this.json",
    FOOZOL_GCP_DNS_ZONE: "nodots",
    FOOZOL_GCP_ENDPOINT: "https://compute.example.com",
    FOOZOL_GCP_IMAGE_BROWSER: "Golden",
    FOOZOL_GCP_IMAGE_DESKTOP: "1",
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "ftp://collector/v1/traces",
    OTEL_EXPORTER_OTLP_HEADERS: "too short",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "key=%zz too short",
    OTEL_EXPORTER_OTLP_TIMEOUT: "0",
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "soon",
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf",
    OTEL_BSP_SCHEDULE_DELAY: "-1",
    OTEL_SERVICE_NAME: "x".repeat(201),
    OTEL_RESOURCE_ATTRIBUTES: "nothing",
    OTEL_SDK_DISABLED: "yes",
  }
  for (const [name, value] of Object.entries(wrong)) {
    it(`${name}=${value} is refused by name, without repeating a secret`, () => {
      const said = refusal({ ...NEEDED, [name]: value })
      assert.match(said, new RegExp(`^  ${name} \\S`, "m"))
      assert.equal(said.split("\n").length, 2, said)
      if (/^FOOZOL_(SECRET|PROJECTS)$|HEADERS$/.test(name)) assert.doesNotMatch(said, /short/)
    })
  }

  it("every setting that can be wrong is tried here", () => {
    const free = ["FOOZOL_OPERATORS", "FOOZOL_GITHUB_CLIENT_ID", "FOOZOL_GITHUB_CLIENT_SECRET"]
    assert.deepEqual(Object.keys(wrong).concat(free).sort(), Object.keys(Settings.shape).sort())
  })

  it("of a collector are OpenTelemetry's, those for traces before those for all", () => {
    assert.equal(readConfig(NEEDED).traces, null)
    const common = {
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: "https://otel.example.com/otlp/", OTEL_EXPORTER_OTLP_HEADERS: "key=a%20b" },
      ...{ OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_RESOURCE_ATTRIBUTES: "service.namespace=desks" },
    }
    assert.deepEqual(readConfig({ ...NEEDED, ...common }).traces, {
      ...{ url: "https://otel.example.com/otlp/v1/traces", headers: { key: "a b" }, timeoutMs: 10_000, delayMs: 5_000 },
      resource: { "service.namespace": "desks", "service.name": "foozol-cloud" },
    })
    const own = {
      ...{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:4318/in/", OTEL_EXPORTER_OTLP_TRACES_HEADERS: "k=v" },
      ...{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "500", OTEL_SERVICE_NAME: "cloud" },
    }
    const { url, headers, timeoutMs, resource } = readConfig({ ...NEEDED, ...common, ...own }).traces ?? {}
    assert.deepEqual([url, headers, timeoutMs], ["http://127.0.0.1:4318/in/", { k: "v" }, 500])
    assert.equal(resource?.["service.name"], "cloud")
    assert.equal(readConfig({ ...NEEDED, ...common, OTEL_SDK_DISABLED: "true" }).traces, null)
  })

  it("several wrong ones are all named", () => {
    const said = refusal({ ...NEEDED, FOOZOL_LOG_LEVEL: "loud", FOOZOL_URL: "x", FOOZOL_SECRET: "short" })
    for (const name of ["FOOZOL_LOG_LEVEL", "FOOZOL_URL", "FOOZOL_SECRET"]) assert.match(said, new RegExp(name))
  })

  it("of home backups belong together", () => {
    assert.equal(readConfig(NEEDED).homeBackups, null)
    const all = {
      ...{ FOOZOL_BACKUP_S3_ENDPOINT: "https://s3.example.com", FOOZOL_BACKUP_S3_BUCKET: "homes" },
      ...{ FOOZOL_BACKUP_S3_ACCESS_KEY_ID: "id", FOOZOL_BACKUP_S3_SECRET_ACCESS_KEY: "canary" },
    }
    assert.deepEqual(readConfig({ ...NEEDED, ...all }).homeBackups, {
      bucket: {
        ...{ endpoint: "https://s3.example.com", name: "homes", region: "us-east-1" },
        ...{ machineEndpoint: "https://s3.example.com", accessKeyId: "id", secretAccessKey: "canary" },
      },
      ...{ prefix: "foozol/", everyMs: 86_400_000, stopMs: 300_000 },
    })
    const inside = { FOOZOL_BACKUP_S3_MACHINE_ENDPOINT: "http://10.0.0.2:9000" }
    assert.equal(
      readConfig({ ...NEEDED, ...all, ...inside }).homeBackups?.bucket.machineEndpoint,
      "http://10.0.0.2:9000",
    )
    for (const name of Object.keys(all)) {
      const said = refusal({ ...NEEDED, ...all, [name]: "" })
      assert.match(said, /FOOZOL_BACKUP_S3_ENDPOINT.* belong together/)
      assert.doesNotMatch(said, /canary/)
    }
  })

  it("of providers: those that are set up are offered, in the order that is wished", () => {
    const google = { FOOZOL_GCP_PROJECTS: "my-desks more-desks", FOOZOL_GCP_DNS_ZONE: "gcp.desk.example.com" }
    const both = { ...NEEDED, ...google, HCLOUD_TOKEN: "t" }
    assert.deepEqual(readConfig(NEEDED).offered, ["hetzner"])
    assert.deepEqual(readConfig({ ...NEEDED, ...google }).offered, ["gcp"])
    assert.deepEqual(readConfig(both).offered, ["hetzner", "gcp"])
    assert.deepEqual(readConfig({ ...both, FOOZOL_PROVIDERS: "gcp hetzner" }).offered, ["gcp", "hetzner"])
    assert.deepEqual(readConfig({ ...both, FOOZOL_PROVIDERS: "hetzner" }).offered, ["hetzner"])
    const { providers } = readConfig({ ...both, FOOZOL_GCP_IMAGE_BROWSER: "golden-1", FOOZOL_IMAGE_BROWSER: "7" })
    assert.deepEqual(providers.hetzner, { zone: "desk.example.com", regions: [], images: { browser: 7 } })
    const gcp = { zone: "gcp.desk.example.com", regions: ["us-central1-a"], images: { browser: "golden-1" } }
    assert.deepEqual(providers.gcp, gcp)
  })

  it("of probes are an address for each region", () => {
    const FOOZOL_REGION_PROBES = "fsn1=https://near.example.com:8443/ping us-central1=https://iowa.example.com"
    const { probes } = readConfig({ ...NEEDED, FOOZOL_REGION_PROBES })
    assert.deepEqual(probes, { fsn1: "https://near.example.com:8443/ping", "us-central1": "https://iowa.example.com" })
    for (const wrong of ["https://x.example", "fsn1=https://a'b", "fsn1=https://a.example/;script-src", "fsn1=data:x"])
      assert.match(refusal({ ...NEEDED, FOOZOL_REGION_PROBES: wrong }), /FOOZOL_REGION_PROBES must be REGION=URL/)
  })

  it("of providers that do not fit together are refused", () => {
    const google = { FOOZOL_GCP_PROJECTS: "my-desks" }
    assert.match(refusal({ ...NEEDED, FOOZOL_PROVIDERS: "gcp" }), /gcp needs FOOZOL_GCP_PROJECTS/)
    assert.match(refusal({ ...NEEDED, ...google, FOOZOL_PROVIDERS: "hetzner" }), /hetzner needs HCLOUD_TOKEN/)
    assert.match(refusal({ ...NEEDED, ...google, HCLOUD_TOKEN: "t" }), /FOOZOL_GCP_DNS_ZONE must be another domain/)
    assert.match(refusal({ ...NEEDED, FOOZOL_GCP_PROJECTS: "my-desks my-desks" }), /my-desks is there twice/)
    const same = { FOOZOL_PROJECTS: "my-desks=0123456789", FOOZOL_GCP_DNS_ZONE: "gcp.example.com", HCLOUD_TOKEN: "t" }
    assert.match(refusal({ ...NEEDED, ...google, ...same }), /my-desks is there twice/)
  })

  it("of a mail server belong together", () => {
    const [FOOZOL_SMTP_URL, FOOZOL_SMTP_FROM] = [
      "smtps://cloud:pw@mail.example.com",
      "foozol Cloud <cloud@example.com>",
    ]
    assert.deepEqual(readConfig({ ...NEEDED, FOOZOL_SMTP_URL, FOOZOL_SMTP_FROM }).smtp, {
      ...{ url: FOOZOL_SMTP_URL, from: FOOZOL_SMTP_FROM },
    })
    assert.equal(readConfig(NEEDED).smtp, null)
    assert.match(refusal({ ...NEEDED, FOOZOL_SMTP_URL }), /belong together/)
    assert.match(refusal({ ...NEEDED, FOOZOL_SMTP_FROM }), /belong together/)
    refusal({ ...NEEDED, FOOZOL_SMTP_URL, FOOZOL_SMTP_FROM: "a@example.com\r\nBcc: b@example.com" })
  })

  it("of a certificate authority belong together; without a directory machines sign their own", () => {
    assert.deepEqual(readConfig(NEEDED).certificates, [])
    const FOOZOL_ACME_DIRECTORY = "https://acme.example/directory"
    const [FOOZOL_ACME_EAB_KID, FOOZOL_ACME_EAB_KEY] = ["kid-1", "k".repeat(43)]
    const [only] = readConfig({ ...NEEDED, FOOZOL_ACME_DIRECTORY }).certificates
    assert.deepEqual(only?.authority, {
      ...{ directory: FOOZOL_ACME_DIRECTORY, contact: null, binding: null, chain: null, trust: null },
    })
    assert.deepEqual([only?.name, only?.allowance.most], ["acme.example", 50])
    const bound = readConfig({ ...NEEDED, FOOZOL_ACME_DIRECTORY, FOOZOL_ACME_EAB_KID, FOOZOL_ACME_EAB_KEY })
    assert.deepEqual(bound.certificates[0]?.authority.binding, { kid: FOOZOL_ACME_EAB_KID, key: FOOZOL_ACME_EAB_KEY })
    assert.match(refusal({ ...NEEDED, FOOZOL_ACME_DIRECTORY, FOOZOL_ACME_EAB_KID }), /belong together/)
    const alone = refusal({ ...NEEDED, FOOZOL_ACME_EAB_KID, FOOZOL_ACME_EAB_KEY })
    assert.match(alone, /FOOZOL_ACME_DIRECTORY is missing/)
    assert.doesNotMatch(alone, /kkkk/)
  })

  it("of a second certificate authority stand beside a first one, and are another's", () => {
    const FOOZOL_ACME_DIRECTORY = "https://acme.example/directory"
    const FOOZOL_ACME_2_DIRECTORY = "https://other.example/directory"
    const FOOZOL_ACME_CONTACT = "operator@desk.example"
    const both = { ...NEEDED, FOOZOL_ACME_DIRECTORY, FOOZOL_ACME_2_DIRECTORY, FOOZOL_ACME_CONTACT }
    const { certificates } = readConfig({ ...both, FOOZOL_ACME_WEEK: "300", FOOZOL_ACME_2_WEEK: "20" })
    assert.deepEqual(
      certificates.map(one => [one.name, one.allowance.most, one.authority.contact]),
      [
        ["acme.example", 300, FOOZOL_ACME_CONTACT],
        ["other.example", 20, FOOZOL_ACME_CONTACT],
      ],
    )
    assert.match(refusal({ ...NEEDED, FOOZOL_ACME_2_DIRECTORY }), /name the first one in FOOZOL_ACME_DIRECTORY/)
    assert.match(refusal({ ...both, FOOZOL_ACME_2_DIRECTORY: FOOZOL_ACME_DIRECTORY }), /must be another/)
    assert.match(refusal({ ...both, FOOZOL_ACME_2_EAB_KID: "kid-2" }), /FOOZOL_ACME_2_EAB_KEY belong together/)
    assert.match(refusal({ ...NEEDED, FOOZOL_ACME_2_CHAIN: "Root" }), /FOOZOL_ACME_2_DIRECTORY is missing/)
  })

  it("certificates to trust an authority by are read from their file", async () => {
    const directory = await temporaryDirectory()
    const FOOZOL_ACME_TRUST = join(directory.path, "roots.pem")
    const given = { ...NEEDED, FOOZOL_ACME_DIRECTORY: "https://acme.example/directory", FOOZOL_ACME_TRUST }
    assert.match(refusal(given), /roots\.pem, in which no certificate could be read/)
    const { cert } = selfSignedCertificate("acme.example")
    writeFileSync(FOOZOL_ACME_TRUST, cert)
    assert.equal(readConfig(given).certificates[0]?.authority.trust, cert)
    await directory.remove()
  })

  it("the usage ledger lies with the other data unless it is put elsewhere", () => {
    assert.equal(readConfig({ ...NEEDED, FOOZOL_DATA: "/srv/data" }).usageDirectory, "/srv/data/usage")
    assert.equal(readConfig(NEEDED).usageDirectory, join(process.cwd(), ".foozol", "usage"))
    assert.equal(readConfig({ ...NEEDED, FOOZOL_USAGE_DIRECTORY: "/srv/usage" }).usageDirectory, "/srv/usage")
  })

  it("a port that is none is refused", () => {
    assert.match(refusal({ ...NEEDED, FOOZOL_LISTEN: "127.0.0.1:70000" }), /FOOZOL_LISTEN must have a port up to 65535/)
    assert.match(refusal({ ...NEEDED, FOOZOL_METRICS_LISTEN: "[::1]:99999" }), /FOOZOL_METRICS_LISTEN/)
  })

  it("the stand-in for GitHub is refused together with a public address, by whatever name of this machine", () => {
    for (const host of ["localhost", "127.0.0.1", "127.1", "2130706433", "[::1]", "a.localhost"]) {
      for (const scheme of ["http", "https"]) {
        const said = refusal({ ...PUBLIC, FOOZOL_GITHUB_URL: `${scheme}://${host}:9000` })
        assert.match(said, /FOOZOL_GITHUB_URL is a sign-in stand-in on this machine/)
      }
    }
    for (const host of ["0.0.0.0", "[::]", "localhost.", "192.168.1.2", "stand-in.example.com"]) {
      assert.match(refusal({ ...PUBLIC, FOOZOL_GITHUB_URL: `http://${host}:9000` }), /FOOZOL_GITHUB_URL/)
    }
    assert.equal(
      readConfig({ ...PUBLIC, FOOZOL_GITHUB_URL: "https://github.example.com" }).github.url,
      "https://github.example.com",
    )
    assert.equal(
      readConfig({ ...NEEDED, FOOZOL_GITHUB_URL: "http://127.0.0.1:9000" }).github.url,
      "http://127.0.0.1:9000",
    )
  })

  it("plain http is refused wherever it would leave this machine, and between machines outside a private network", () => {
    const plain = "http://cloud.example.com"
    assert.match(refusal({ ...NEEDED, FOOZOL_URL: plain }), /FOOZOL_URL is public, so it must be https/)
    assert.match(refusal({ ...NEEDED, FOOZOL_URL: "http://0.0.0.0:8080" }), /FOOZOL_URL is public/)
    assert.match(refusal({ ...PUBLIC, FOOZOL_MACHINE_URL: plain }), /FOOZOL_MACHINE_URL is public, so it must be https/)
    for (const address of [
      "http://10.0.2.2:80",
      "http://169.254.0.2:80",
      "http://172.16.0.1",
      "http://192.168.0.1",
      "http://[fd00::1]",
      "https://m.example",
    ]) {
      assert.equal(readConfig({ ...PUBLIC, FOOZOL_MACHINE_URL: address }).machineUrl, address)
    }
    for (const address of ["http://172.32.0.1", "http://10.example.com", "http://203.0.113.1"]) {
      assert.match(refusal({ ...PUBLIC, FOOZOL_MACHINE_URL: address }), /FOOZOL_MACHINE_URL/)
    }
  })

  it("an address with a path is refused", () => {
    assert.match(refusal({ ...NEEDED, FOOZOL_URL: "https://example.com/cloud" }), /FOOZOL_URL must have no path/)
  })

  it("only this machine counts as this machine", () => {
    for (const url of [
      "http://localhost",
      "http://127.0.0.1:1",
      "http://127.255.0.1",
      "http://[::1]/",
      "http://x.localhost",
    ]) {
      assert.equal(isLoopback(url), true, url)
    }
    for (const url of [
      "http://127.0.0.1.example.com",
      "http://localhost.example.com",
      "http://notlocalhost",
      "http://10.0.0.1",
    ]) {
      assert.equal(isLoopback(url), false, url)
    }
  })

  it("lie in the environment over the file .env, and a file that cannot be read is said", async () => {
    const { path, remove } = await temporaryDirectory()
    try {
      assert.deepEqual(environmentWithFile({ A: "1" }, join(path, "none")), { A: "1" })
      writeFileSync(join(path, ".env"), 'A=file\nB="of the file"\n')
      assert.deepEqual(environmentWithFile({ A: "1" }, join(path, ".env")), { A: "1", B: "of the file" })
      assert.throws(() => environmentWithFile({}, path), /could not be read/)
    } finally {
      await remove()
    }
  })
})
