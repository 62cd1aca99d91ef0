import { type ReactNode, useEffect, useRef } from 'react'
import { Button } from 'react-aria-components'
import { t } from '../texts/texts.ts'

export interface StoryEndProps {
  /** Keeps the devices of the story on the page. */
  onStay: () => void
  onLeave: () => void
  /** Whether the devices from before the story are being restored. */
  isEnding: boolean
}

/** What the story has shown, and what to do next. */
export function StoryEnd({ onStay, onLeave, isEnding }: StoryEndProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  const { title, shown, nextTitle, next, stay } = t.story.end
  return (
    <section className="story" aria-label={t.story.label}>
      <div className="story-told story-end">
        <div className="story-text">
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <ul className="shown-list">
            {shown.map(one => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
        <div className="story-scene">
          <h3>{nextTitle}</h3>
          <p>{next}</p>
        </div>
      </div>
      <div className="buttons">
        <Button aria-disabled={isEnding} onPress={onLeave}>
          {t.story.leaveLabel}
        </Button>
        <Button className="primary" aria-disabled={isEnding} onPress={onStay}>
          {stay}
        </Button>
      </div>
    </section>
  )
}
