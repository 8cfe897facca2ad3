import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3"
import { freePort } from "../../cli/redis-process.ts"
import { obtainPythonTool } from "./python-tool.ts"
import { waitUntil } from "./wait-until.ts"

/** Amazon's storage as a stand-in on this machine, made from its API's description; conditional writes included. */
const PINS = ["moto[server,s3]==5.2.5"]
const BUCKET = "state"
const CREDENTIALS = { accessKeyId: "test-access", secretAccessKey: "test-secret-1234" }

/** A bucket that is there until it is closed. */
export interface Bucket {
  /** As the engine's backend. */
  url: string
  /** What reaching it takes. */
  env: Record<string, string>
  /** From now on it keeps what is overwritten and deleted. */
  keepVersions(): Promise<unknown>
  /** Stops answering, or goes on: what is in it stays. */
  pause(): void
  resume(): void
  close(): Promise<void>
}

/** @returns a bucket, or the reason why there is none here */
export async function startBucket(): Promise<Bucket | { reason: string }> {
  const moto = await startMoto()
  if ("reason" in moto) return moto
  const { child, endpoint } = moto
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: CREDENTIALS })
  await waitUntil("the bucket is there", () =>
    client.send(new CreateBucketCommand({ Bucket: BUCKET })).then(
      () => true,
      () => false,
    ),
  )
  const versions = new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: "Enabled" } })
  return {
    url: `s3://${BUCKET}/foozol?endpoint=${endpoint}&region=us-east-1&use_path_style=true`,
    env: { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey },
    keepVersions: () => client.send(versions),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async close() {
      client.destroy()
      await end(child)
    },
  }
}

/** Its look whether an object is there and its writing are two steps: of two writers at once both would be first. */
const PROGRAM = `
import sys, threading
from moto.s3.responses import S3Response
from moto.server import main
turn, put = threading.Lock(), S3Response.put_object
def put_alone(self):
    with turn:
        return put(self)
S3Response.put_object = put_alone
main(sys.argv[1:])`

/** @param checkedAfter requests after which it holds every request against its signature */
export async function startMoto(
  checkedAfter?: number,
): Promise<{ child: ChildProcess; endpoint: string } | { reason: string }> {
  const tool = await obtainPythonTool("The stand-in for S3 (moto)", PINS)
  if ("reason" in tool) return tool
  const port = await freePort(0)
  const args = ["-c", PROGRAM, "-H", "127.0.0.1", "-p", String(port)]
  const env = checkedAfter === undefined ? {} : { INITIAL_NO_AUTH_ACTION_COUNT: String(checkedAfter) }
  const child = spawn(tool.python, args, { stdio: "ignore", env: { ...process.env, ...env } })
  return { child, endpoint: `http://127.0.0.1:${port}` }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill("SIGKILL")
  await once(child, "exit")
}
