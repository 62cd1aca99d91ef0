let began = performance.now()

/** A heading; from here on the time counts. */
export function act(text: string): void {
  console.log(`\n${text}`)
  began = performance.now()
}

/** What has happened, and how long after the heading. */
export function tell(text: string): void {
  console.log(
    `${Math.round(performance.now() - began)
      .toString()
      .padStart(8)} ms  ${text}`,
  )
}
