import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { Button, Radio, RadioGroup } from 'react-aria-components'
import { useChanges } from '../device/use-changes.ts'
import type { Devices } from '../devices/devices.ts'
import { t } from '../texts/texts.ts'
import type { Entry } from '../trace/entry.ts'
import { timeline, type Wanted } from '../trace/timeline.ts'
import type { Trace } from '../trace/trace.ts'
import { type Depth, TimelineEntry } from './timeline-entry.tsx'
import { TimelineFilters } from './timeline-filters.tsx'

export const whatHappenedId = 'what-happened'

const depths: readonly Depth[] = ['words', 'messages', 'bytes']
const all: Wanted = { device: '', person: '', kind: '', withQuestions: false }

/** Each message between the devices of this page and the server: in words, as messages, as bytes. */
export function WhatHappened({ trace, devices }: { trace: Trace; devices: Devices }): ReactNode {
  const entries = useChanges(trace.changes, () => trace.entries)
  const [depth, setDepth] = useState<Depth>('words')
  const [wanted, setWanted] = useState(all)
  return (
    <section className="device what-happened" id={whatHappenedId} aria-label={t.trace.title}>
      <header className="device-header">
        <h2>{t.trace.title}</h2>
        <Button onPress={() => trace.clear()}>{t.trace.clear}</Button>
      </header>
      <RadioGroup
        className="segments"
        aria-label={t.trace.depth}
        value={depth}
        onChange={value => setDepth(value as Depth)}
      >
        {depths.map(value => (
          <Radio key={value} value={value}>
            {t.trace[value]}
          </Radio>
        ))}
      </RadioGroup>
      <TimelineFilters entries={entries} wanted={wanted} onChange={setWanted} />
      <Log entries={entries} wanted={wanted} depth={depth} devices={devices} />
    </section>
  )
}

interface LogProps {
  entries: readonly Entry[]
  wanted: Wanted
  depth: Depth
  devices: Devices
}

function Log({ entries, wanted, depth, devices }: LogProps): ReactNode {
  const list = useRef<HTMLOListElement>(null)
  const isAtEnd = useRef(true)
  const lines = useMemo(() => timeline(entries, wanted, depth === 'words'), [entries, wanted, depth])
  useEffect(() => {
    if (isAtEnd.current && lines.length > 0) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [lines])
  const onScroll = (): void => {
    const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = list.current ?? {}
    isAtEnd.current = scrollTop + clientHeight > scrollHeight - 40
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
    <ol className="log" ref={list} onScroll={onScroll} tabIndex={0} aria-label={t.trace.list}>
      {lines.length === 0 && <li className="empty">{t.trace.empty}</li>}
      {lines.map(line => (
        <TimelineEntry
          key={line.id}
          line={line}
          count={line.entries.length}
          depth={depth}
          all={entries}
          devices={devices}
        />
      ))}
    </ol>
  )
}
