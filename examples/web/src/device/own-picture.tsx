import { useOwnProfile } from '@kith/client/react'
import { type ReactNode, useState } from 'react'
import { Button, FileTrigger } from 'react-aria-components'
import { isolated } from '../isolation.ts'
import { Picture } from './picture.tsx'
import { thumbnail } from './thumbnail.ts'

export interface OwnPictureProps {
  name: string
  attempt: (work: () => Promise<unknown>) => Promise<void>
}

export function OwnPicture({ name, attempt }: OwnPictureProps): ReactNode {
  const { fields, set, unset } = useOwnProfile()
  const [problem, setProblem] = useState('')
  const bytes = fields.get(0)?.['picture']
  const choose = async (files: FileList | null): Promise<void> => {
    const [file] = files ?? []
    if (!file) return
    const small = await thumbnail(file)
    setProblem(small ? '' : `${isolated(file.name)} is no picture that this browser can read.`)
    if (small) await attempt(() => set('picture', small))
  }
  return (
    <div className="person own-picture">
      <Picture name={name} bytes={bytes} />
      <FileTrigger acceptedFileTypes={['image/*']} onSelect={files => void choose(files)}>
        <Button>{bytes === undefined ? 'Choose a picture' : 'Change the picture'}</Button>
      </FileTrigger>
      {bytes !== undefined && <Button onPress={() => void attempt(() => unset('picture'))}>Remove it</Button>}
      <p className="warning" role="status">
        {problem}
      </p>
    </div>
  )
}
