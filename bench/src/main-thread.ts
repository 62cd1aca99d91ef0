import type { Browser, Page } from 'playwright-core'

/**
 * Runs an action and returns how long each task of the page's main thread took meanwhile. Times are in milliseconds of the
 * thread's own processor time, so other work on the machine does not count.
 */
export async function tasksDuring<T>(
  browser: Browser,
  page: Page,
  work: () => Promise<T>,
): Promise<{ result: T; tasks: number[] }> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] })
  const result = await work()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  const nameOf = new Map(
    traceEvents.filter(({ name }) => name === 'thread_name').map(event => [threadOf(event), event.args?.name]),
  )
  const tasks = traceEvents
    .filter(event => event.name === 'ThreadControllerImpl::RunTask' && nameOf.get(threadOf(event)) === 'CrRendererMain')
    .map(({ tdur = 0 }) => tdur / 1000)
  return { result, tasks }
}

/** The required subset of the Trace Event Format; durations in microseconds. */
interface TraceEvent {
  name: string
  pid: number
  tid: number
  /** The duration by the thread's own clock. */
  tdur?: number
  args?: { name?: string }
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}/${tid}`
}
