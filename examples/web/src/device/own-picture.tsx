import { useOwnProfile } from '@kith/client/react'
import { type ReactNode, useState } from 'react'
import { Button, FileTrigger } from 'react-aria-components'
import { t } from '../texts/texts.ts'
import { Picture } from './picture.tsx'
import { thumbnail } from './thumbnail.ts'

export interface OwnPictureProps {
  name: string
  attempt: (work: () => Promise<unknown>) => Promise<boolean>
}

export function OwnPicture({ name, attempt }: OwnPictureProps): ReactNode {
  const { fields, set, unset } = useOwnProfile()
  const [problem, setProblem] = useState('')
  const bytes = fields.get(0)?.['picture']
  const choose = async (files: FileList | null): Promise<void> => {
    const [file] = files ?? []
    if (!file) return
    const small = await thumbnail(file)
    setProblem(small ? '' : t.profile.notAPicture(file.name))
    if (small) await attempt(() => set('picture', small))
  }
  return (
    <div className="person own-picture">
      <Picture isLarge name={name} bytes={bytes} />
      <FileTrigger acceptedFileTypes={['image/*']} onSelect={files => void choose(files)}>
        <Button>{bytes === undefined ? t.profile.choosePicture : t.profile.changePicture}</Button>
      </FileTrigger>
      {bytes !== undefined && (
        <Button onPress={() => void attempt(() => unset('picture'))}>{t.profile.removePicture}</Button>
      )}
      <p className="warning" role="status">
        {problem}
      </p>
    </div>
  )
}
