import { sleepsAndWakes } from "../support/sleeps-and-wakes.ts"

/** By power-off; sleep-and-wake.full.ts is the other way to stop. */
sleepsAndWakes("power-off")
