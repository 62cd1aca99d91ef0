import { memo, type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { Toggle } from '../device/toggle.tsx'
import { useChanges } from '../device/use-changes.ts'
import type { Entry, Trace } from '../trace/trace.ts'

export const whatHappenedId = 'what-happened'

/** Each message between the devices of this page and the server, in words and bytes. */
export function WhatHappened({ trace }: { trace: Trace }): ReactNode {
  const entries = useChanges(trace.changes, () => trace.entries)
  const [showsAll, setShowsAll] = useState(false)
  const shown = showsAll ? entries : entries.filter(isOfInterest)
  return (
    <section className="device what-happened" id={whatHappenedId} aria-label="What happened">
      <header className="device-header">
        <h2>What happened</h2>
        <Button onPress={() => trace.clear()}>Clear</Button>
        <p className="sync">What these devices sent and got.</p>
      </header>
      <Log entries={shown} />
      <footer>
        <Toggle isOn={showsAll} onChange={setShowsAll}>
          Questions and heartbeats too
        </Toggle>
      </footer>
    </section>
  )
}

function Log({ entries }: { entries: readonly Entry[] }): ReactNode {
  const list = useRef<HTMLOListElement>(null)
  const isAtEnd = useRef(true)
  useEffect(() => {
    if (isAtEnd.current && entries.length > 0) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [entries])
  const onScroll = (): void => {
    const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = list.current ?? {}
    isAtEnd.current = scrollTop + clientHeight > scrollHeight - 40
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
    <ol className="log" ref={list} onScroll={onScroll} tabIndex={0} aria-label="Messages, newest last">
      {entries.length === 0 && <li className="empty">Nothing yet. Edit something, or switch a device off and on.</li>}
      {entries.map(entry => (
        <Line key={entry.id} entry={entry} />
      ))}
    </ol>
  )
}

const Line: (props: { entry: Entry }) => ReactNode = memo(function Line({ entry }) {
  const { atMs, kind, direction, text, detail, bytes } = entry
  return (
    <li className="entry" data-kind={kind} data-direction={direction}>
      <p>{text}</p>
      {detail?.map(line => (
        <p key={line} className="entry-detail">
          {line}
        </p>
      ))}
      <p className="entry-bytes">
        {timeOf(atMs)}
        {bytes > 0 && ` · ${bytes.toLocaleString()} bytes`}
      </p>
    </li>
  )
})

/** Whether it changes or tells anything: a question is told with its answer. */
function isOfInterest({ kind, direction }: Entry): boolean {
  return kind !== 'keepalive' && !(kind === 'barrier' && direction === 'sent')
}

function timeOf(atMs: number): string {
  return new Date(atMs).toLocaleTimeString(undefined, { hour12: false })
}
