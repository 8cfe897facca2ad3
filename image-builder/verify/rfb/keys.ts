/** Keysyms of X11 for keys without a character. */
export const KEYS = { return: 0xff0d, shift: 0xffe1, control: 0xffe3, escape: 0xff1b } as const

/** What an American keyboard types with the shift key held. */
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/

export interface Stroke {
  keysym: number
  down: boolean
}

/**
 * For each character of a text of ASCII the presses and releases that a person's keyboard makes for it; a line's end
 * is the return key.
 */
export function strokes(text: string): Stroke[][] {
  return [...text].map(character => {
    const keysym = character === "\n" ? KEYS.return : character.charCodeAt(0)
    const stroke = [
      { keysym, down: true },
      { keysym, down: false },
    ]
    if (!SHIFTED.test(character)) return stroke
    return [{ keysym: KEYS.shift, down: true }, ...stroke, { keysym: KEYS.shift, down: false }]
  })
}
