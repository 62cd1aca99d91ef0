import type { ReactNode } from 'react'

/** What went wrong last, if anything. */
export function Warning({ text }: { text: string | undefined }): ReactNode {
  if (text === undefined) return null
  return (
    <p className="warning" role="alert">
      {text}
    </p>
  )
}
