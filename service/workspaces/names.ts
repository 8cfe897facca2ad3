import { randomInt } from "node:crypto"

const ADJECTIVES =
  "amber bold brave bright calm clear cosy crisp deep eager early fair fleet fond free fresh gentle glad golden grand green happy honest jolly keen kind light lively lucky mellow merry mild neat noble plain proud quick quiet rapid ready silver smart snug solid spry steady still sunny swift tidy vivid warm wide wise"
const ANIMALS =
  "ant badger bear beaver bee bison crane crow deer dolphin dove eagle falcon finch fox gecko goose hare hawk hedgehog heron horse ibis jay kiwi koala lark lemur lynx magpie marten mole moose newt otter owl panda parrot pike puffin quail raven robin salmon seal sparrow squid stork swan swift tern tiger toad trout turtle walrus weasel whale wolf wren yak zebra"
/** Without letters that are taken for others, or that make words. */
const ALPHABET = "23456789bcdfghjkmnpqrstvwxz"
const SUFFIX_LENGTH = 6

/** A random integer below its argument. */
export type Random = (below: number) => number

/**
 * An id for a workspace that a person can say aloud: two words and six characters, 1.5 × 10¹² of them, so that none
 * comes twice. It is a DNS label.
 */
export function newWorkspaceId(random: Random = randomInt): string {
  const pick = (words: string) => {
    const all = words.split(" ")
    return all[random(all.length)] as string
  }
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => ALPHABET[random(ALPHABET.length)]).join("")
  return `${pick(ADJECTIVES)}-${pick(ANIMALS)}-${suffix}`
}
