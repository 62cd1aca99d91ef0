import { type ReactNode, useState } from 'react'
import { Button, DropZone, FileTrigger, Input, Label, Text, TextField } from 'react-aria-components'
import { t } from '../texts/texts.ts'
import { CirclesField } from './circles-field.tsx'
import type { BookChoice } from './import-state.ts'
import { Toggle } from './toggle.tsx'

export interface ChooseBookProps {
  onChoose: (choice: BookChoice) => void
  onCancel: () => void
}

/** Chooses a phone book and how to read it. Reading begins when a file is chosen. */
export function ChooseBook({ onChoose, onCancel }: ChooseBookProps): ReactNode {
  const [levels, setLevels] = useState<number[]>([])
  const [doesFollow, setFollow] = useState(true)
  const [arePhoneNumbers, setPhoneNumbers] = useState(true)
  const [region, setRegion] = useState('GB')
  const choose = (file: File | undefined): void => {
    if (file) onChoose({ file, arePhoneNumbers, region: region.trim().toUpperCase(), levels, doesFollow })
  }
  return (
    <>
      <CirclesField label={t.add.circles} levels={levels} onChange={setLevels} />
      <Toggle isOn={doesFollow} onChange={setFollow}>
        {t.add.follow}
      </Toggle>
      <Toggle isOn={arePhoneNumbers} onChange={setPhoneNumbers}>
        {t.add.manyPhone}
      </Toggle>
      {arePhoneNumbers && (
        <TextField className="field" value={region} onChange={setRegion} maxLength={2}>
          <Label>{t.import.region}</Label>
          <Input />
        </TextField>
      )}
      <DropZone
        className="drop-zone"
        onDrop={async ({ items }) => {
          const item = items.find(({ kind }) => kind === 'file')
          if (item?.kind === 'file') choose(await item.getFile())
        }}
      >
        <Text slot="label">{t.import.drop}</Text>
        <FileTrigger
          acceptedFileTypes={['.vcf', '.vcard', '.csv', 'text/vcard', 'text/csv']}
          onSelect={files => choose(files?.[0])}
        >
          <Button className="primary">{t.import.choose}</Button>
        </FileTrigger>
      </DropZone>
      <div className="buttons">
        <Button onPress={onCancel}>{t.device.cancel}</Button>
      </div>
    </>
  )
}
