/** A key as RFB wants it: its X keysym, and the code of the physical key for servers that ask for scan codes. */
export type Key = readonly [keysym: number, code: string]

export const MODIFIERS = {
  ctrl: [0xffe3, "ControlLeft"],
  alt: [0xffe9, "AltLeft"],
  shift: [0xffe1, "ShiftLeft"],
  super: [0xffeb, "MetaLeft"],
} as const satisfies Record<string, Key>

export type Modifier = keyof typeof MODIFIERS

const NAMED: Record<string, Key> = {
  esc: [0xff1b, "Escape"],
  tab: [0xff09, "Tab"],
  enter: [0xff0d, "Enter"],
  backspace: [0xff08, "Backspace"],
  delete: [0xffff, "Delete"],
  left: [0xff51, "ArrowLeft"],
  up: [0xff52, "ArrowUp"],
  right: [0xff53, "ArrowRight"],
  down: [0xff54, "ArrowDown"],
  home: [0xff50, "Home"],
  end: [0xff57, "End"],
  pageup: [0xff55, "PageUp"],
  pagedown: [0xff56, "PageDown"],
  ...Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`f${at + 1}`, [0xffbe + at, `F${at + 1}`] as const])),
  ...MODIFIERS,
}

/** The key for one typed character. X takes Latin-1 as it is and the rest of Unicode with bit 24 set. */
export function characterKey(character: string): Key {
  if (character === "\n" || character === "\r") return [0xff0d, "Enter"]
  if (character === "\t") return [0xff09, "Tab"]
  const point = character.codePointAt(0) ?? 0
  return [point < 0x100 ? point : 0x1000000 + point, ""]
}

/** `ctrl+alt+delete` as keys in the order they go down. */
export function parseCombination(text: string): Key[] {
  return text.split("+").map(name => {
    const key = NAMED[name] ?? ([...name].length === 1 ? characterKey(name) : undefined)
    if (key === undefined) throw new Error(`No key is called ${name}`)
    return key
  })
}

/** All go down in order and come up in reverse: nothing stays pressed when the connection breaks in between. */
export function pressTogether(keys: readonly Key[], send: (keysym: number, code: string, down: boolean) => void): void {
  for (const [keysym, code] of keys) send(keysym, code, true)
  for (const [keysym, code] of keys.toReversed()) send(keysym, code, false)
}
