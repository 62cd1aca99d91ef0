import { ContactSynchronizer, type SyncResult } from '@kith/client'
import { useKith } from '@kith/client/react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { Button, Form, Input, Label, Radio, RadioGroup, TextArea, TextField } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { useAttempt } from './attempt.ts'
import { CirclesField } from './circles-field.tsx'
import { Dialog } from './dialog.tsx'
import { madeUpPhoneBook } from './made-up-phone-book.ts'
import { TheirWords } from './their-words.tsx'
import { Toggle } from './toggle.tsx'
import { Warning } from './warning.tsx'

/** Adds one person or several at once, including people who have not signed up. */
export function AddPeople({ device }: { device: Device }): ReactNode {
  const { place, openDialog, close } = usePlace(device.key)
  const [areSeveral, setSeveral] = useState(false)
  return (
    <>
      <Button className="primary" onPress={() => openDialog('add')}>
        {t.contacts.add}
      </Button>
      <Dialog title={areSeveral ? t.add.manyTitle : t.add.title} isOpen={place.dialog === 'add'} onClose={close}>
        <AddForm
          device={device}
          areSeveral={areSeveral}
          onSwitch={() => setSeveral(!areSeveral)}
          onImport={() => openDialog('import')}
          onDone={close}
        />
      </Dialog>
    </>
  )
}

interface AddFormProps {
  device: Device
  areSeveral: boolean
  onSwitch: () => void
  onImport: () => void
  onDone: () => void
}

function AddForm({ device, areSeveral, onSwitch, onImport, onDone }: AddFormProps): ReactNode {
  const kith = useKith()
  const [text, setText] = useState('')
  const [levels, setLevels] = useState<number[]>([])
  const [doesFollow, setFollow] = useState(true)
  const [arePhoneNumbers, setPhoneNumbers] = useState(false)
  const [kind, setKind] = useState('add')
  const [result, setResult] = useState<SyncResult>()
  const [failure, attempt] = useAttempt(device)
  const add = async (): Promise<void> => {
    const synchronizer = new ContactSynchronizer(kith, arePhoneNumbers ? { phoneNumbers: true } : {})
    synchronizer.setProfileAccessLevels(levels)
    synchronizer.subscribe(doesFollow)
    const addresses = areSeveral ? text.split(/[\n,;]+/).filter(line => line.trim() !== '') : [text]
    const overwrites = areSeveral && kind === 'overwrite'
    const done = await (overwrites ? synchronizer.sync(addresses) : synchronizer.syncAsUpdate(addresses))
    setResult(done)
    if (done.invalid.length === 0) onDone()
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '') void attempt(add)
  }
  const { keep, overwrite, known, makeUp } = t.add
  return (
    <Form className="dialog-form" onSubmit={submit}>
      <TextField className="field" value={text} onChange={setText} autoFocus>
        <Label>{areSeveral ? t.add.many : t.add.who}</Label>
        {areSeveral ? (
          <TextArea rows={4} dir="auto" placeholder={'bob\ncarol'} />
        ) : (
          <Input dir="auto" placeholder="bob" autoComplete="off" autoCapitalize="none" spellCheck={false} />
        )}
      </TextField>
      {result && <Result result={result} isOne={!areSeveral} />}
      <Toggle isOn={arePhoneNumbers} onChange={setPhoneNumbers}>
        {areSeveral ? t.add.manyPhone : t.add.phoneNumber}
      </Toggle>
      <CirclesField label={t.add.circles} levels={levels} onChange={setLevels} />
      <Toggle isOn={doesFollow} onChange={setFollow}>
        {t.add.follow}
      </Toggle>
      {areSeveral && (
        <>
          <RadioGroup className="audience" value={kind} onChange={setKind}>
            <Label>{known}</Label>
            <Radio className="radio" value="add">
              {keep}
            </Radio>
            <Radio className="radio" value="overwrite">
              {overwrite}
            </Radio>
          </RadioGroup>
          <Button onPress={() => setText(madeUpPhoneBook(5000).join('\n'))}>{makeUp}</Button>
        </>
      )}
      <Warning text={failure} />
      <div className="buttons other-ways">
        <Button onPress={onSwitch}>{areSeveral ? t.add.one : t.add.several}</Button>
        <Button onPress={onImport}>{t.add.import}</Button>
      </div>
      <div className="buttons">
        <Button onPress={onDone}>{t.device.cancel}</Button>
        <Button className="primary" type="submit">
          {t.add.button}
        </Button>
      </div>
    </Form>
  )
}

function Result({
  result: { added, updated, unchanged, invalid },
  isOne,
}: {
  result: SyncResult
  isOne: boolean
}): ReactNode {
  if (invalid.length === 0) return null
  return (
    <div className="warning" role="alert">
      {!isOne && <p>{t.add.result(added, updated, unchanged, invalid.length)}</p>}
      <ul>
        {invalid.slice(0, 5).map(({ input, reason }) => (
          <li key={input}>
            {!isOne && (
              <>
                <TheirWords>{input}</TheirWords>
                {': '}
              </>
            )}
            {t.invalid[reason]}
          </li>
        ))}
      </ul>
    </div>
  )
}
