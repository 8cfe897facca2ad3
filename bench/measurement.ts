/** Samples of one quantity. */
export interface Measurement {
  metric: string
  unit: string
  samples: number[]
}

/** One line of a bench's result. */
export function summarize(bench: string, { metric, unit, samples }: Measurement) {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (index: number) => Math.round((sorted[index] ?? Number.NaN) * 1_000) / 1_000
  const middle = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 === 1 ? at(middle) : Math.round(((at(middle - 1) + at(middle)) / 2) * 1_000) / 1_000
  return { bench, metric, unit, n: sorted.length, min: at(0), median, max: at(sorted.length - 1) }
}

/** The sample below which this part of the samples lies; NaN of none. */
export function quantile(samples: number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
