import { createHash } from "node:crypto"

/** A picture for an id, as GitHub gives those who have none: five by five fields, left like right, in one colour. */
export function avatarSvg(id: string): string {
  const hash = createHash("sha256").update(id).digest()
  const fields: string[] = []
  for (let column = 0; column < 3; column++) {
    for (let row = 0; row < 5; row++) {
      if ((hash[column * 5 + row] ?? 0) % 2 === 0) continue
      for (const x of new Set([column, 4 - column])) fields.push(`M${x + 0.5} ${row + 0.5}h1v1h-1z`)
    }
  }
  const hue = hash.readUInt16BE(30) % 360
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 6 6" width="120" height="120" shape-rendering="crispEdges"><path fill="hsl(${hue} 30% 94%)" d="M0 0h6v6H0z"/><path fill="hsl(${hue} 52% 46%)" d="${fields.join("")}"/></svg>`
}
