import { type ReactNode, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Devices } from '../devices/devices.ts'
import { locale, t } from '../texts/texts.ts'
import type { Entry } from '../trace/entry.ts'
import { plainWords } from '../trace/plain-words.ts'
import type { Line } from '../trace/timeline.ts'
import { wayOf } from '../trace/way.ts'

export type Depth = 'words' | 'messages' | 'bytes'

export interface TimelineEntryProps {
  line: Line
  count: number
  depth: Depth
  all: readonly Entry[]
  devices: Devices
}

/** One line of the timeline; similar entries are folded into it. */
export function TimelineEntry({ line, count, depth, all, devices }: TimelineEntryProps): ReactNode {
  const [isOpen, setOpen] = useState(false)
  const { entry } = line
  const isChange = entry.brief.is === 'changed' && (entry.facts?.length ?? 0) > 0
  const shown = isOpen || count === 1 ? line.entries : [entry]
  return (
    <li className="entry" data-kind={entry.kind} data-direction={entry.direction}>
      {shown.map(one => (
        <Happening key={one.id} entry={one} depth={depth} />
      ))}
      {(count > 1 || isChange) && (
        <Button className="unfold" aria-expanded={isOpen} onPress={() => setOpen(!isOpen)}>
          {isChange ? t.trace.way : isOpen ? t.trace.fewer : t.trace.times(count)}
        </Button>
      )}
      {isChange && isOpen && (
        <ol className="way">
          {wayOf(entry, all, devices.all).map(({ place, text, isDone }) => (
            <li key={text} data-place={place} data-done={isDone}>
              <span className="way-sign" aria-hidden="true">
                {isDone ? '✓' : '✕'}
              </span>{' '}
              {text}
            </li>
          ))}
        </ol>
      )}
    </li>
  )
}

function Happening({ entry, depth }: { entry: Entry; depth: Depth }): ReactNode {
  const { atMs, text, detail, bytes, frame } = entry
  return (
    <>
      {/* The messages themselves are described in the words of the protocol, which are English. */}
      {depth === 'words' ? (
        <p>{plainWords(entry)}</p>
      ) : (
        <p lang="en" dir="ltr">
          {text}
        </p>
      )}
      {depth !== 'words' &&
        detail?.map(one => (
          <p key={one} className="entry-detail" lang="en" dir="ltr">
            {one}
          </p>
        ))}
      {depth === 'bytes' && frame && (
        <pre dir="ltr">
          <code>{hexOf(frame)}</code>
        </pre>
      )}
      <p className="entry-bytes">
        {new Date(atMs).toLocaleTimeString(locale, { hour12: false })}
        {bytes > 0 && ` · ${t.trace.bytesSize(bytes)}`}
      </p>
    </>
  )
}

const mostBytes = 256

/** The beginning of a frame, as much as a person reads. */
function hexOf(frame: Uint8Array): string {
  const shown = [...frame.subarray(0, mostBytes)].map(byte => byte.toString(16).padStart(2, '0')).join(' ')
  return frame.length > mostBytes ? `${shown} …` : shown
}
