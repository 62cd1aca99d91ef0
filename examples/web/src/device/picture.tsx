import type { FieldValue } from '@kith/client'
import { type ReactNode, useEffect, useState } from 'react'
import { isSmallPicture } from './picture-size.ts'

export interface PictureProps {
  name: string
  bytes: FieldValue | undefined
  isLarge?: boolean
}

/** A profile's picture from its bytes, or the first letter of a name. Always the same size. */
export function Picture({ name, bytes, isLarge = false }: PictureProps): ReactNode {
  const url = useObjectUrl(bytes instanceof Uint8Array && isSmallPicture(bytes) ? bytes : undefined)
  const side = isLarge ? 96 : 44
  const size = isLarge ? 'large' : 'small'
  if (url !== undefined) return <img className="picture" data-size={size} src={url} alt="" width={side} height={side} />
  return (
    <span className="picture" data-size={size} data-hue={hueOf(name)} aria-hidden="true">
      {/[\p{L}\p{N}]/u.exec(name)?.[0].toLocaleUpperCase() ?? '?'}
    </span>
  )
}

function useObjectUrl(bytes: Uint8Array | undefined): string | undefined {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (!bytes) return setUrl(undefined)
    const made = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [bytes])
  return url
}

/** One of six colours, the same for the same name. */
function hueOf(name: string): number {
  let sum = 0
  for (const letter of name) sum += letter.codePointAt(0) ?? 0
  return sum % 6
}
