import { ContactSynchronizer, type SyncResult } from '@kith/client'
import { useKith } from '@kith/client/react'
import { type ReactNode, useState } from 'react'
import {
  Button,
  Dialog,
  DialogTrigger,
  Heading,
  Label,
  Modal,
  ModalOverlay,
  Radio,
  RadioGroup,
  TextArea,
  TextField,
} from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { useAttempt } from './attempt.ts'
import { LevelsField } from './levels-field.tsx'
import { madeUpPhoneBook } from './made-up-phone-book.ts'
import { TheirWords } from './their-words.tsx'
import { Toggle } from './toggle.tsx'

/** Brings in one person or a whole phone book, also people who are not there yet. */
export function AddPeople({ device }: { device: Device }): ReactNode {
  return (
    <DialogTrigger>
      <Button className="primary">Add</Button>
      <ModalOverlay className="overlay" isDismissable>
        <Modal className="modal">
          <Dialog className="dialog">
            {({ close }) => <AddPeopleForm title={`Add people on ${device.title}`} onDone={close} />}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  )
}

function AddPeopleForm({ title, onDone }: { title: string; onDone: () => void }): ReactNode {
  const kith = useKith()
  const [text, setText] = useState('')
  const [levels, setLevels] = useState<number[]>([])
  const [doesFollow, setFollow] = useState(true)
  const [arePhoneNumbers, setPhoneNumbers] = useState(false)
  const [kind, setKind] = useState('add')
  const [result, setResult] = useState<SyncResult>()
  const [failure, attempt] = useAttempt()
  const add = async (): Promise<void> => {
    const synchronizer = new ContactSynchronizer(kith, arePhoneNumbers ? { phoneNumbers: true } : {})
    synchronizer.setProfileAccessLevels(levels)
    synchronizer.subscribe(doesFollow)
    const addresses = text.split(/[\n,;]+/).filter(line => line.trim() !== '')
    const done = kind === 'add' ? await synchronizer.syncAsUpdate(addresses) : await synchronizer.sync(addresses)
    setResult(done)
    if (done.invalid.length === 0) onDone()
  }
  return (
    <>
      <Heading slot="title">{title}</Heading>
      <TextField className="field" value={text} onChange={setText} autoFocus>
        <Label>User ids, one a line</Label>
        <TextArea rows={4} dir="auto" placeholder={'bob\ncarol'} />
      </TextField>
      <LevelsField label="They may see of your profile" levels={levels} onChange={setLevels} />
      <div className="toggles">
        <Toggle isOn={doesFollow} onChange={setFollow}>
          Follow them
        </Toggle>
        <Toggle isOn={arePhoneNumbers} onChange={setPhoneNumbers}>
          They are phone numbers
        </Toggle>
      </div>
      <RadioGroup className="audience" value={kind} onChange={setKind}>
        <Label>Those already among the contacts</Label>
        <Radio className="radio" value="add">
          keep what they have, and get this too
        </Radio>
        <Radio className="radio" value="overwrite">
          get just this
        </Radio>
      </RadioGroup>
      {failure !== undefined && (
        <p className="warning" role="alert">
          <TheirWords>{failure}</TheirWords>
        </p>
      )}
      {result && <Result result={result} />}
      <div className="buttons">
        <Button onPress={() => setText(madeUpPhoneBook(5000).join('\n'))}>Make up 5,000</Button>
        <Button onPress={onDone}>Cancel</Button>
        <Button className="primary" onPress={() => void attempt(add)}>
          Add
        </Button>
      </div>
    </>
  )
}

function Result({ result: { added, updated, unchanged, invalid } }: { result: SyncResult }): ReactNode {
  return (
    <div className="warning" role="alert">
      <p>
        {added} added, {updated} updated, {unchanged} unchanged. {invalid.length} could not be read:
      </p>
      <ul>
        {invalid.slice(0, 5).map(({ input, reason }) => (
          <li key={input}>
            <TheirWords>{input}</TheirWords>: {reason}
          </li>
        ))}
      </ul>
    </div>
  )
}
