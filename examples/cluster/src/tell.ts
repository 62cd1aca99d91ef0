let began = performance.now()

/** Prints a heading. Times are counted from here on. */
export function act(text: string): void {
  console.log(`\n${text}`)
  began = performance.now()
}

/** Prints an event, and the time since the heading. */
export function tell(text: string): void {
  console.log(
    `${Math.round(performance.now() - began)
      .toString()
      .padStart(8)} ms  ${text}`,
  )
}
