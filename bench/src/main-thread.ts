import type { Browser, Page } from 'playwright-core'

/**
 * Does something and tells how long each task of the page's main thread took meanwhile, in milliseconds of its own processor
 * time: what else runs on the machine doesn't count.
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

/** As much as is needed of the Trace Event Format; durations in microseconds. */
interface TraceEvent {
  name: string
  pid: number
  tid: number
  /** By the thread's own clock. */
  tdur?: number
  args?: { name?: string }
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}/${tid}`
}
