import { z } from "zod"
import { InfraError } from "../errors.ts"
import { toTags, zonedId } from "../scaleway-names.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { ApartMachine, Machine, Machines } from "./contract.ts"
import { Server } from "./scaleway-answers.ts"
import { Anything, type ScalewayApi } from "./scaleway-api.ts"
import { notThere } from "./scaleway-disks.ts"
import { instanceTags } from "./scaleway-questions.ts"

/** The security group of all machines that stand apart: nothing comes in, and all goes out. */
const GROUP = "foozol-apart"

const Group = z.object({ id: z.string(), name: z.string() })

type Call = { signal?: AbortSignal | undefined }

/**
 * See `Machines.createApart`. Names are not unique at Scaleway, so one that is there is looked for first; what an earlier
 * try has left is finished: a machine is made switched off, told what it is, and then started.
 */
export async function createScalewayApart(
  api: ScalewayApi,
  machines: Pick<Machines, "get" | "powerOn" | "remove">,
  wanted: ApartMachine,
  { signal }: Call,
): Promise<Machine> {
  const { project } = api.project
  const base = `/instance/v1/zones/${wanted.region}`
  const call = signal ? { signal } : {}
  const query = `project=${project}&name=${encodeURIComponent(wanted.name)}`
  const there = await api.list(`${base}/servers?${query}`, "servers", Server, call)
  // The filter finds parts of names too.
  const found = there.find(({ name }) => name === wanted.name)
  const server = found ?? (await makeOff(api, base, wanted, call))
  const id = zonedId(wanted.region, server.id)
  if (server.state === "stopped") {
    const path = `${base}/servers/${server.id}/user_data/cloud-init`
    await api.request("PATCH", path, Anything, { text: wanted.userData, ...call })
  }
  await machines.powerOn(id, call).catch(async error => {
    // Any other failure the next try goes on after.
    if (error instanceof InfraError && error.id === "provider-no-capacity") await machines.remove(id, call)
    throw error
  })
  const made = await machines.get(id, call)
  if (!made) throw notThere()
  return made
}

async function makeOff(api: ScalewayApi, base: string, wanted: ApartMachine, call: Call): Promise<Server> {
  const body = {
    ...{ name: wanted.name, commercial_type: wanted.size, image: wanted.image, project: api.project.project },
    ...{ tags: toTags(wanted.labels), protected: false, boot_type: "local" },
    security_group: await closedGroup(api, base, call),
    // An address that comes and goes with it: it must reach the service.
    dynamic_ip_required: true,
    volumes: { "0": { boot: false, volume_type: "sbs_volume" } },
  }
  return (await api.request("POST", `${base}/servers`, z.object({ server: Server }), { body, ...call })).server
}

/** Its UUID; it is made when it is not there. Two that are made at once do no harm: both let nothing in. */
async function closedGroup(api: ScalewayApi, base: string, call: Call): Promise<string> {
  const labels = { [LABELS.managedBy]: MANAGER }
  const path = `${base}/security_groups`
  const known = await api.list(`${path}?${instanceTags(api.project.project, labels)}`, "security_groups", Group, call)
  const found = known.find(({ name }) => name === GROUP)
  if (found) return found.id
  const body = {
    ...{ name: GROUP, project: api.project.project, tags: toTags(labels), stateful: true },
    ...{ inbound_default_policy: "drop", outbound_default_policy: "accept", enable_default_security: true },
  }
  const made = await api.request("POST", path, z.object({ security_group: Group }), { body, ...call })
  return made.security_group.id
}
