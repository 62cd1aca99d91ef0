import { ContactSynchronizer, type Kith, openKith } from '@kith/client'
import { exportAccount } from '@kith/client/account'
import { readContacts } from '@kith/client/import'
import {
  KithProvider,
  useContacts,
  useKith,
  useOwnProfile,
  usePresence,
  useProfile,
  useSyncStatus,
  useViewAs,
} from '@kith/client/react'
import { type ReactNode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

/** The parameters with which the page was opened: `?url=…&token=…`. */
const place = new URLSearchParams(location.search)

function Contacts(): ReactNode {
  const contacts = useContacts()
  return <p>contacts: {contacts?.map(({ id }) => id).join(', ')}</p>
}

function Person({ id }: { id: string }): ReactNode {
  const { fields, isLoaded } = useProfile(id)
  const { reason } = useViewAs(id)
  const presence = usePresence(id)
  return (
    <p>
      {id}: {isLoaded ? JSON.stringify(fields) : '…'}, sees me: {reason}, online: {String(presence?.isOnline ?? false)}
    </p>
  )
}

function Own(): ReactNode {
  const { fields } = useOwnProfile()
  const { unsent } = useSyncStatus()
  return (
    <p>
      own: {String(fields.get(0)?.['name'])}, unsent: {unsent}
    </p>
  )
}

/** The size of the user's own account as a file, and the number of cards in a phone book. */
function Files(): ReactNode {
  const kith = useKith()
  const [text, setText] = useState('files: …')
  useEffect(() => {
    void describeFiles(kith).then(setText)
  }, [kith])
  return <p>{text}</p>
}

async function describeFiles(kith: Kith): Promise<string> {
  const { format } = JSON.parse(await exportAccount(kith)) as { format: string }
  let cards = 0
  for await (const { name } of readContacts(new Blob(['BEGIN:VCARD\nFN:Carol\nEND:VCARD\n']))) if (name) cards++
  return `files: ${format}, ${cards} card`
}

const kith = await openKith({ url: place.get('url') ?? '', token: place.get('token') ?? '' })
await kith.ownProfile.set('name', 'Bob')
await new ContactSynchronizer(kith, { phoneNumbers: { region: 'GB' } }).sync(['01632 960003'])
const root = document.createElement('main')
document.body.append(root)
createRoot(root).render(
  <KithProvider kith={kith}>
    <Contacts />
    <Person id="ada" />
    <Own />
    <Files />
  </KithProvider>,
)
