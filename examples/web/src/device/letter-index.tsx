import type { PointerEvent, ReactNode } from 'react'

export interface LetterIndexProps {
  letters: readonly string[]
  onGoTo: (letter: string) => void
}

/** With fewer contacts, scrolling is faster. */
export const indexFrom = 40

/**
 * The letters of the list along its edge: a press or a drag scrolls to the first name of a letter. With a keyboard, type the
 * letter in the list.
 */
export function LetterIndex({ letters, onGoTo }: LetterIndexProps): ReactNode {
  const go = ({ currentTarget, clientY, buttons }: PointerEvent<HTMLElement>): void => {
    if (buttons === 0) return
    const { top, height } = currentTarget.getBoundingClientRect()
    const place = Math.floor(((clientY - top) / height) * letters.length)
    const letter = letters[Math.max(0, Math.min(letters.length - 1, place))]
    if (letter !== undefined) onGoTo(letter)
  }
  return (
    <div
      className="letter-index"
      aria-hidden="true"
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId)
        go(event)
      }}
      onPointerMove={go}
    >
      {letters.map(letter => (
        <span key={letter}>{letter}</span>
      ))}
    </div>
  )
}
