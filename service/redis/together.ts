/**
 * Gathers what is asked within one turn of the event loop and asks it as one: what a question costs on its way to
 * Redis and back is paid once for all of them, and nobody waits longer than for a question alone.
 * @param most questions in one
 */
export function together<Q, A>(most: number, ask: (questions: Q[]) => Promise<A[]>): (question: Q) => Promise<A> {
  let waiting: { question: Q; answer: (given: A) => void; fail: (error: unknown) => void }[] = []

  function send(): void {
    if (waiting.length === 0) return
    const all = waiting
    waiting = []
    ask(all.map(one => one.question)).then(
      answers => {
        for (const [place, one] of all.entries()) one.answer(answers[place] as A)
      },
      error => {
        for (const one of all) one.fail(error)
      },
    )
  }
  return question =>
    new Promise((answer, fail) => {
      if (waiting.length === 0) setImmediate(send)
      waiting.push({ question, answer, fail })
      if (waiting.length >= most) send()
    })
}
