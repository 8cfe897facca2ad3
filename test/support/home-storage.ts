import { openObjectStorage } from "../../infra/object-storage/storage.ts"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { end, startMoto } from "./bucket.ts"
import { type CuttableProxy, startCuttableProxy } from "./cuttable-proxy.ts"
import { waitUntil } from "./wait-until.ts"

const NAME = "homes"
const REGION = "us-east-1"
/** What is asked without a signature before: the user, what they may, their key, the bucket. */
const UNSIGNED = 4

/** A bucket for home backups whose storage holds every request against its signature. */
export interface HomeStorage {
  /** What a service is told of it. */
  settings: Record<string, string>
  /** What it is told too where its machines are those of the local cloud, which call this computer's loopback otherwise. */
  forMachines: Record<string, string>
  /** The credential, which nobody but the service may have. */
  secretAccessKey: string
  /** The way to it, which can be cut. */
  proxy: CuttableProxy
  /** Names of all objects. */
  objects(): Promise<string[]>
  close(): Promise<void>
}

/** @returns the storage, or the reason why there is none here */
export async function startHomeStorage(): Promise<HomeStorage | { reason: string }> {
  const moto = await startMoto(UNSIGNED)
  if ("reason" in moto) return moto
  const { child, endpoint } = moto
  const ask = async (service: string, path: string, body?: Record<string, string>) => {
    // As whom does not matter yet, but for which of its services.
    const credential = `Credential=nobody/20200101/${REGION}/${service}/aws4_request`
    const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=none`
    const given = body ? { method: "POST", body: new URLSearchParams(body) } : { method: "PUT" }
    const answer = await fetch(`${endpoint}${path}`, { ...given, headers: { authorization } })
    if (!answer.ok) throw new Error(`the stand-in for S3 answered ${answer.status}`)
    return answer.text()
  }
  await waitUntil("the storage is there", () =>
    ask("iam", "/", { Action: "CreateUser", UserName: NAME, Version: "2010-05-08" }).then(
      () => true,
      () => false,
    ),
  )
  const allowed = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] }
  await ask("iam", "/", {
    ...{ Action: "PutUserPolicy", UserName: NAME, PolicyName: "all", Version: "2010-05-08" },
    PolicyDocument: JSON.stringify(allowed),
  })
  const made = await ask("iam", "/", { Action: "CreateAccessKey", UserName: NAME, Version: "2010-05-08" })
  const [accessKeyId = "", secretAccessKey = ""] = ["AccessKeyId", "SecretAccessKey"].map(
    name => new RegExp(`<${name}>([^<]+)`).exec(made)?.[1],
  )
  await ask("s3", `/${NAME}`)
  const proxy = await startCuttableProxy(endpoint)
  const storage = openObjectStorage({
    endpoint,
    machineEndpoint: endpoint,
    region: REGION,
    name: NAME,
    accessKeyId,
    secretAccessKey,
  })
  return {
    settings: {
      ...{ FOOZOL_BACKUP_S3_ENDPOINT: proxy.url, FOOZOL_BACKUP_S3_BUCKET: NAME },
      ...{ FOOZOL_BACKUP_S3_ACCESS_KEY_ID: accessKeyId, FOOZOL_BACKUP_S3_SECRET_ACCESS_KEY: secretAccessKey },
    },
    forMachines: { FOOZOL_BACKUP_S3_MACHINE_ENDPOINT: proxy.url.replace("127.0.0.1", HOST_FROM_MACHINES) },
    secretAccessKey,
    proxy,
    objects: async () => (await storage.list("")).map(({ key }) => key),
    async close() {
      await proxy.close()
      await end(child)
    },
  }
}
