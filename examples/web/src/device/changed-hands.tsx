import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'

export interface ChangedHandsProps {
  name: string
  onConfirm: () => void
  onRemove: () => void
}

/** The user id has a new holder, or will have: what was given to the old one does not count until the user decides. */
export function ChangedHands({ name, onConfirm, onRemove }: ChangedHandsProps): ReactNode {
  return (
    <section className="changed-hands" aria-label={`The account of ${name} has ended`}>
      <h4>This may be another person now</h4>
      <p>
        The account of {name} was erased, so the number may belong to somebody else. Until you decide, they see nothing
        by what you gave to {name}, and you do not follow them.
      </p>
      <div className="buttons">
        <Button className="primary" onPress={onConfirm}>
          I know the new holder
        </Button>
        <Button className="danger" onPress={onRemove}>
          Remove
        </Button>
      </div>
    </section>
  )
}
