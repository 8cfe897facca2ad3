/** What a person did to a text field: so many characters taken away at the end, then these written. */
export type Change = { removed: number; added: string }

/**
 * Phones report no usable key events while typing (suggestions, swiping, composition): the field's text before
 * and after tells what happened.
 */
export function textChange(before: string, after: string): Change {
  const [old, now] = [[...before], [...after]]
  let same = 0
  while (same < old.length && same < now.length && old[same] === now[same]) same++
  return { removed: old.length - same, added: now.slice(same).join("") }
}
