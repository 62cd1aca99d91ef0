import { type ReactNode, useState } from 'react'
import { Button, DropZone, FileTrigger, Input, Label, Text, TextField } from 'react-aria-components'
import type { BookChoice } from './import-state.ts'
import { LevelsField } from './levels-field.tsx'
import { Toggle } from './toggle.tsx'

export interface ChooseBookProps {
  onChoose: (choice: BookChoice) => void
  onCancel: () => void
}

/** How a phone book is to be read, and which. Reading begins with the file. */
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
      <LevelsField label="They may see of your profile" levels={levels} onChange={setLevels} />
      <div className="toggles">
        <Toggle isOn={doesFollow} onChange={setFollow}>
          Follow them
        </Toggle>
        <Toggle isOn={arePhoneNumbers} onChange={setPhoneNumbers}>
          They are phone numbers
        </Toggle>
      </div>
      {arePhoneNumbers && (
        <TextField className="field" value={region} onChange={setRegion} maxLength={2}>
          <Label>Country of numbers without +</Label>
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
        <Text slot="label">Drop a phone book here: vCard or CSV</Text>
        <FileTrigger
          acceptedFileTypes={['.vcf', '.vcard', '.csv', 'text/vcard', 'text/csv']}
          onSelect={files => choose(files?.[0])}
        >
          <Button className="primary">Choose a file</Button>
        </FileTrigger>
      </DropZone>
      <div className="buttons">
        <Button onPress={onCancel}>Cancel</Button>
      </div>
    </>
  )
}
