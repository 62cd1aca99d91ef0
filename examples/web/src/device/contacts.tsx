import type { Contact } from '@kith/client'
import { useContacts } from '@kith/client/react'
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { GridList, Input, Label, ListLayout, SearchField, Virtualizer } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { AddPeople } from './add-people.tsx'
import { matches, namesInOrder } from './contact-names.ts'
import { ContactRow, rowHeight } from './contact-row.tsx'
import { catchFocus } from './focus.ts'
import { ImportBook } from './import-book.tsx'
import { TheirWords } from './their-words.tsx'

export interface ContactsProps {
  device: Device
  /** A contact's page lies over the list, which stays where it was scrolled to. */
  isCovered: boolean
  onOpen: (id: string) => void
}

export function Contacts({ device, isCovered, onOpen }: ContactsProps): ReactNode {
  const contacts = useContacts()
  const [search, setSearch] = useState('')
  const wanted = useDeferredValue(search)
  const shown = useMemo(() => namesInOrder(contacts ?? []).filter(one => matches(one, wanted)), [contacts, wanted])
  return (
    <div className="page contacts" inert={isCovered}>
      <div className="toolbar">
        <ImportBook device={device} />
        <SearchField className="search" value={search} onChange={setSearch}>
          <Label className="visually-hidden">Search the contacts of {device.title}</Label>
          <Input placeholder={searchWords(contacts?.length)} />
        </SearchField>
        <AddPeople device={device} />
      </div>
      <ContactList title={device.title} contacts={shown} search={wanted} isCovered={isCovered} onOpen={onOpen}>
        {contacts && <Nobody search={wanted} />}
      </ContactList>
    </div>
  )
}

function searchWords(count: number | undefined): string {
  return count === undefined ? 'Search' : `Search ${count} ${count === 1 ? 'contact' : 'contacts'}`
}

interface ContactListProps {
  title: string
  contacts: readonly Contact[]
  /** What the contacts were searched for. */
  search: string
  isCovered: boolean
  onOpen: (id: string) => void
  /** Instead of rows, when there are none. */
  children: ReactNode
}

function ContactList({ title, contacts, search, isCovered, onOpen, children }: ContactListProps): ReactNode {
  const list = useRef<HTMLDivElement>(null)
  // Another search finds others: they are read from the top.
  useEffect(() => {
    list.current?.scrollTo({ top: 0 })
  }, [search])
  // Once nothing covers it any more.
  useEffect(() => (isCovered ? () => catchFocus(list.current) : undefined), [isCovered])
  return (
    <Virtualizer layout={ListLayout} layoutOptions={{ rowHeight }}>
      <GridList
        ref={list}
        className="contact-list"
        aria-label={`Contacts of ${title}`}
        items={contacts}
        onAction={key => onOpen(String(key))}
        renderEmptyState={() => children}
      >
        {contact => <ContactRow contact={contact} />}
      </GridList>
    </Virtualizer>
  )
}

function Nobody({ search }: { search: string }): ReactNode {
  if (search === '') return <p className="empty">Nobody yet. Add somebody by their user id: they need not be here.</p>
  return (
    <p className="empty">
      Nobody matches “<TheirWords>{search}</TheirWords>”.
    </p>
  )
}
