import { toTags } from "../scaleway-names.ts"
import type { LabelSelector } from "./contract.ts"

/** Part of a query for a list of Instances' API: what is of a project and bears all these labels. */
export function instanceTags(project: string, labels: LabelSelector): string {
  const tags = toTags(labels)
  return new URLSearchParams({ project, ...(tags.length > 0 ? { tags: tags.join(",") } : {}) }).toString()
}

/** The same for Block Storage's API, which wants each tag by itself. */
export function blockTags(project: string, labels: LabelSelector): string {
  const query = new URLSearchParams({ project_id: project })
  for (const tag of toTags(labels)) query.append("tags", tag)
  return query.toString()
}
