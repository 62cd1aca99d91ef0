import { useContacts } from '@kith/client/react'
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { Button, GridList, Input, Label, ListLayout, SearchField, Virtualizer } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { AddPeople } from './add-people.tsx'
import { matches, namesInOrder } from './contact-names.ts'
import { ContactRow, rowHeight } from './contact-row.tsx'
import { catchFocus } from './focus.ts'
import { Icon } from './icon.tsx'
import { ImportBook } from './import-book.tsx'
import { indexFrom, LetterIndex } from './letter-index.tsx'
import { type ListItem, listItems } from './list-items.ts'
import { useChanges } from './use-changes.ts'

export interface ContactsProps {
  device: Device
  /** Whether a contact's page covers the list, which keeps its scroll position. */
  isCovered: boolean
  /** The person whose page is beside the list. */
  shown: string | undefined
}

export function Contacts({ device, isCovered, shown }: ContactsProps): ReactNode {
  const contacts = useContacts()
  const { open } = usePlace(device.key)
  const messages = useChanges(device.messages.changes, () => device.messages.all)
  const [search, setSearch] = useState('')
  const wanted = useDeferredValue(search)
  const found = useMemo(() => namesInOrder(contacts ?? []).filter(one => matches(one, wanted)), [contacts, wanted])
  const items = useMemo(() => listItems(found, messages), [found, messages])
  return (
    <div className="page contacts" inert={isCovered}>
      <div className="toolbar">
        <SearchField className="search" value={search} onChange={setSearch}>
          <Label className="visually-hidden">{t.contacts.searchLabel(device.title)}</Label>
          <Input placeholder={contacts ? t.contacts.searchCount(contacts.length) : t.contacts.search} />
          <Button className="icon-button search-clear" aria-label={t.contacts.clearSearch}>
            <Icon name="close" />
          </Button>
        </SearchField>
        <AddPeople device={device} />
        <ImportBook device={device} />
      </div>
      <ContactList
        title={device.title}
        items={items}
        search={wanted}
        isCovered={isCovered}
        shown={shown}
        onOpen={person => open({ tab: 'contacts', person })}
      >
        {contacts && <p className="empty">{wanted === '' ? t.contacts.none : t.contacts.noMatch(wanted)}</p>}
      </ContactList>
    </div>
  )
}

interface ContactListProps {
  title: string
  items: readonly ListItem[]
  /** The search text. */
  search: string
  isCovered: boolean
  shown: string | undefined
  onOpen: (id: string) => void
  /** Shown instead of rows, if there are none. */
  children: ReactNode
}

function ContactList({ title, items, search, isCovered, shown, onOpen, children }: ContactListProps): ReactNode {
  const list = useRef<HTMLDivElement>(null)
  // Another search has other results: scroll to the top.
  useEffect(() => {
    list.current?.scrollTo({ top: 0 })
  }, [search])
  // When nothing covers the list any more.
  useEffect(() => (isCovered ? () => catchFocus(list.current) : undefined), [isCovered])
  const letters = useMemo(() => items.flatMap(({ letter }) => letter ?? []), [items])
  const goTo = (letter: string): void => {
    const index = items.findIndex(item => item.letter === letter)
    list.current?.scrollTo({ top: index * rowHeight })
  }
  return (
    <div className="list-frame">
      <Virtualizer layout={ListLayout} layoutOptions={{ rowHeight }}>
        <GridList
          ref={list}
          className="contact-list"
          aria-label={t.contacts.list(title)}
          items={items}
          selectionMode="none"
          dependencies={[shown]}
          onAction={key => onOpen(String(key))}
          renderEmptyState={() => children}
        >
          {item => <ContactRow item={item} isShown={item.id === shown} />}
        </GridList>
      </Virtualizer>
      {items.length >= indexFrom && <LetterIndex letters={letters} onGoTo={goTo} />}
    </div>
  )
}
