import { useContacts, useViewAs } from '@kith/client/react'
import { type ReactNode, useId, useState } from 'react'
import { audienceName } from '../audiences.ts'
import { personName } from '../devices/name.ts'
import { isolated } from '../isolation.ts'
import { FieldList } from './field-list.tsx'
import { Picture } from './picture.tsx'

/** How one's profile looks to somebody, while one edits it, and why. */
export function ViewAs(): ReactNode {
  const contacts = useContacts()
  const [typed, setTyped] = useState('')
  const listId = useId()
  return (
    <section className="view-as" aria-label="View as">
      <h4>View as…</h4>
      <label className="field">
        Whose eyes to look through
        <input
          value={typed}
          list={listId}
          dir="auto"
          placeholder="bob"
          onChange={event => setTyped(event.target.value)}
        />
      </label>
      <datalist id={listId}>
        {contacts?.slice(0, 200).map(({ id, label }) => (
          <option key={id} value={id}>
            {label && isolated(label)}
          </option>
        ))}
      </datalist>
      <Preview viewer={typed.trim() || 'somebody-new'} isAnybody={typed.trim() === ''} />
    </section>
  )
}

/** What somebody sees of one's profile now, in a sentence. */
export function SeenBy({ id, name }: { id: string; name: string }): ReactNode {
  const { reason, levels } = useViewAs(id)
  return <p className="quiet seen-by">{reasonWords(isolated(name), reason, levels)}</p>
}

function Preview({ viewer, isAnybody }: { viewer: string; isAnybody: boolean }): ReactNode {
  const { fields, levels, reason } = useViewAs(viewer)
  const who = isAnybody ? 'Somebody you don’t know' : isolated(personName(viewer))
  const { name } = fields
  return (
    <div className="preview" data-reason={reason} role="status">
      <div className="person">
        <Picture name={typeof name === 'string' ? name : '?'} bytes={fields['picture']} />
        <p>{reasonWords(who, reason, levels)}</p>
      </div>
      <FieldList fields={fields} />
    </div>
  )
}

function reasonWords(who: string, reason: ReturnType<typeof useViewAs>['reason'], levels: readonly number[]): string {
  switch (reason) {
    case 'self':
      return 'That is you: you see everything.'
    case 'blocked':
      return `${who} sees nothing: you have blocked them.`
    case 'not-granted':
      return `${who} sees nothing: you gave them no level, and your public level is not for them.`
    case 'restricted':
      return `${who} sees nothing: the two of you are not paired.`
    case 'unknown-user':
      return `${who} is not here.`
    case 'visible':
      return `${who} sees ${levels.map(audienceName).join(', ')}${levels.includes(0) ? '' : ', not your public level'}.`
  }
}
