/** While a machine falls asleep it says nothing to its service, and hears nothing: no connection of it may lie in the memory that is kept. */
export interface Rest {
  readonly isOn: boolean
  /** Resolves when there is none, at once where there is none now. */
  over(): Promise<void>
  begin(): void
  end(): void
}

export function createRest(): Rest {
  let current: PromiseWithResolvers<void> | null = null
  return {
    get isOn() {
      return current !== null
    },
    over: async () => current?.promise,
    begin: () => {
      current ??= Promise.withResolvers()
    },
    end: () => {
      current?.resolve()
      current = null
    },
  }
}
