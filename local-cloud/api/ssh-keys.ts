import { createHash } from "node:crypto"
import { z } from "zod"
import { invalidInput, notUnique } from "../errors.ts"
import type { SshKeyRecord } from "../state/records.ts"
import { created, Labels, load, mine, NO_CONTENT, ok, page, parseBody, requireFreeName } from "./request.ts"
import type { Route } from "./routes.ts"

const Create = z.object({ name: z.string().min(1), public_key: z.string().min(1), labels: Labels.default({}) })
const Update = z.object({ name: z.string().min(1).optional(), labels: Labels.optional() })

const present = (key: SshKeyRecord) => ({
  id: key.id,
  name: key.name,
  fingerprint: key.fingerprint,
  public_key: key.publicKey,
  labels: key.labels,
  created: key.created,
})

export const sshKeyRoutes: Route[] = [
  {
    method: "GET",
    path: "/ssh_keys",
    handle: ({ store }, call) => {
      const wanted = call.query.get("fingerprint")
      const keys = mine(store, "ssh_key", call.project).filter(key => wanted === null || key.fingerprint === wanted)
      return page(call, "ssh_keys", keys, present)
    },
  },
  {
    method: "POST",
    path: "/ssh_keys",
    handle: ({ store, now }, call) => {
      const body = parseBody(Create, call.body)
      const keys = mine(store, "ssh_key", call.project)
      requireFreeName(store, "ssh_key", call.project, body.name)
      const publicKey = body.public_key.trim()
      const print = fingerprint(publicKey)
      if (keys.some(key => key.fingerprint === print)) throw notUnique("SSH key")
      const key: SshKeyRecord = {
        id: store.nextId(),
        project: call.project,
        created: now(),
        labels: body.labels,
        name: body.name,
        publicKey,
        fingerprint: print,
      }
      store.put("ssh_key", key)
      return created(() => ({ ssh_key: present(key) }))
    },
  },
  { method: "GET", path: "/ssh_keys/:id", handle: ({ store }, call) => one(load(store, "ssh_key", call, "SSH key")) },
  {
    method: "PUT",
    path: "/ssh_keys/:id",
    handle: ({ store }, call) => {
      const key = load(store, "ssh_key", call, "SSH key")
      const body = parseBody(Update, call.body)
      if (body.name) requireFreeName(store, "ssh_key", call.project, body.name, key.id)
      const changed = { ...key, name: body.name ?? key.name, labels: body.labels ?? key.labels }
      store.put("ssh_key", changed)
      return one(changed)
    },
  },
  {
    method: "DELETE",
    path: "/ssh_keys/:id",
    handle: ({ store }, call) => {
      store.remove("ssh_key", load(store, "ssh_key", call, "SSH key").id)
      return NO_CONTENT
    },
  },
]

const one = (key: SshKeyRecord) => ok(() => ({ ssh_key: present(key) }))

/** MD5 fingerprint of an OpenSSH public key, as Hetzner shows it. */
function fingerprint(publicKey: string): string {
  const [type, blob] = publicKey.split(/\s+/)
  const bytes = Buffer.from(blob ?? "", "base64")
  // The blob begins with the length and name of its type; the two must agree.
  const named = bytes.length > 4 ? bytes.subarray(4, 4 + Math.min(bytes.readUInt32BE(0), 64)).toString() : ""
  if (!type || named !== type) throw invalidInput([{ name: "public_key", messages: ["is not a valid SSH public key"] }])
  return createHash("md5")
    .update(bytes)
    .digest("hex")
    .replace(/(..)(?=.)/g, "$1:")
}
