import { unknownProject } from "../projects.ts"
import { thoseThatAnswer } from "../those-that-answer.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { CallOptions, LabelledResource, Machine, Machines, Snapshot, Volume } from "./contract.ts"

type Kind = "machine" | "snapshot" | "volume"

/** So many ids are remembered of each kind; what was forgotten is asked for. */
const REMEMBERED = 10_000

const OURS = { [LABELS.managedBy]: MANAGER }

/**
 * Several projects as one. Lists are of all, and fail where one does not answer: whoever concludes from what is not there
 * must have seen all, or say that it goes without (`lenient`) and hear whom. What is asked by id goes to the project that a list has shown it in; of an id that
 * was never seen each project is asked, since the provider gives no number twice.
 * @param projects by name; the first is the main one, which is asked for what is the same in all
 * @param couldHave whether a project's provider gives such ids: of another one's nobody is asked
 */
export function severalProjects(
  projects: ReadonlyMap<string, Machines>,
  couldHave: (project: string, id: string) => boolean = () => true,
): Machines {
  const main = [...projects.values()][0] as Machines
  const seen: Record<Kind, Map<string, string>> = { machine: new Map(), snapshot: new Map(), volume: new Map() }

  function remember(kind: Kind, id: string, project: string): void {
    if (seen[kind].size >= REMEMBERED) seen[kind].clear()
    seen[kind].set(id, project)
  }

  /** What all projects, or the one that is named, have. */
  async function gather<T>(
    { project, lenient }: CallOptions,
    ask: (of: Machines) => Promise<T[]>,
  ): Promise<(T & InProject)[]> {
    if (project !== undefined && !projects.has(project)) throw unknownProject(project)
    const named = [...projects].filter(([name]) => project === undefined || name === project)
    const asked = named.filter(([name]) => !lenient?.without?.has(name))
    const asking = asked.map(async ([name, of]) => (await ask(of)).map(one => ({ ...one, project: name })))
    if (lenient === undefined) return (await Promise.all(asking)).flat()
    const found = await thoseThatAnswer(asking, lenient.patienceMs)
    const away = asked.filter((_, at) => found[at] === null)
    for (const [name] of [...named.filter(one => !asked.includes(one)), ...away]) lenient.away(name)
    return found.flatMap(one => one?.answer ?? [])
  }

  async function list<T extends { id: string }>(kind: Kind, options: CallOptions, ask: (of: Machines) => Promise<T[]>) {
    const found = await gather(options, ask)
    for (const { id, project } of found) remember(kind, id, project)
    return found
  }

  const lists = {
    machine: (labels: Record<string, string>, options: CallOptions = {}): Promise<Machine[]> =>
      list("machine", options, of => of.list(labels, options)),
    snapshot: (labels: Record<string, string>, options: CallOptions = {}): Promise<Snapshot[]> =>
      list("snapshot", options, of => of.listSnapshots(labels, options)),
    volume: (labels: Record<string, string>, options: CallOptions = {}): Promise<Volume[]> =>
      list("volume", options, of => of.listVolumes(labels, options)),
  }

  /** The project that has it; the main one, which then says what is wrong, where none has. */
  async function holder(kind: Kind, id: string, options: CallOptions = {}): Promise<Machines> {
    if (options.project !== undefined) return projects.get(options.project) ?? main
    if (!seen[kind].has(id)) {
      if (kind === "machine") await get(id, options)
      else await lists[kind](OURS, options)
    }
    const likely = [...projects].find(([project]) => couldHave(project, id))?.[1]
    return projects.get(seen[kind].get(id) ?? "") ?? likely ?? main
  }

  async function get(id: string, options: CallOptions = {}): Promise<Machine | null> {
    const known = seen.machine.get(id)
    for (const [project, of] of projects) {
      if (known === undefined ? !couldHave(project, id) : known !== project) continue
      const machine = await of.get(id, options)
      if (!machine) continue
      remember("machine", id, project)
      return { ...machine, project }
    }
    return null
  }

  return {
    list: lists.machine,
    get,
    powerOn: async (id, options) => (await holder("machine", id, options)).powerOn(id, options),
    shutDown: async (id, options) => (await holder("machine", id, options)).shutDown(id, options),
    powerOff: async (id, options) => (await holder("machine", id, options)).powerOff(id, options),
    reset: async (id, options) => (await holder("machine", id, options)).reset(id, options),
    rebuild: async (id, image, options) => (await holder("machine", id, options)).rebuild(id, image, options),
    setDeleteProtection: async (id, on, options) =>
      (await holder("machine", id, options)).setDeleteProtection(id, on, options),
    remove: async (id, options) => (await holder("machine", id, options)).remove(id, options),

    async resources(workspace, options = {}) {
      const found = await gather(options, of => of.resources(workspace, options))
      // The zone's records are shown by each.
      const byId = new Map(found.map(one => [`${one.type}/${one.id}`, one]))
      return [...byId.values()]
    },
    heldResources: (options = {}) => gather(options, of => of.heldResources(options)),
    async removeResources(resources, options) {
      for (const [project, of] of projects) {
        const its = resources.filter(one => one.project === undefined || one.project === project)
        if (its.length > 0) await of.removeResources(its as LabelledResource[], options)
      }
    },

    createApart: async (wanted, options) =>
      (await holder("snapshot", wanted.image, options)).createApart(wanted, options),
    createSnapshot: async (machineId, about, options) =>
      (await holder("machine", machineId, options)).createSnapshot(machineId, about, options),
    listSnapshots: lists.snapshot,
    labelSnapshot: async (id, labels, options) =>
      (await holder("snapshot", id, options)).labelSnapshot(id, labels, options),
    removeSnapshot: async (id, options) => (await holder("snapshot", id, options)).removeSnapshot(id, options),

    makeVolume: async (machineId, about, options) =>
      (await holder("machine", machineId, options)).makeVolume(machineId, about, options),
    listVolumes: lists.volume,
    attachVolume: async (id, machineId, options) =>
      (await holder("machine", machineId, options)).attachVolume(id, machineId, options),
    removeVolume: async (id, options) => (await holder("volume", id, options)).removeVolume(id, options),

    prepare: async (place, options) => (projects.get(options?.project ?? "") ?? main).prepare(place, options),
    sizes: async options => (projects.get(options?.project ?? "") ?? main).sizes(options),
    sidePrices: async options => (projects.get(options?.project ?? "") ?? main).sidePrices(options),
    check: async (wanted, options) => (await holder("snapshot", String(wanted.image), options)).check(wanted, options),
  }
}

interface InProject {
  project: string
}
