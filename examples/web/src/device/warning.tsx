import type { ReactNode } from 'react'

/** The last error text, if there is one. */
export function Warning({ text }: { text: string | undefined }): ReactNode {
  if (text === undefined) return null
  return (
    <p className="warning" role="alert">
      {text}
    </p>
  )
}
