import { KithError } from '@kith/client'
import { useState } from 'react'

/** Does what may be refused, and keeps what went wrong last for the page to say. */
export function useAttempt(): [failure: string | undefined, attempt: (work: () => Promise<unknown>) => Promise<void>] {
  const [failure, setFailure] = useState<string>()
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
      setFailure(undefined)
    } catch (error) {
      if (!(error instanceof KithError)) throw error
      setFailure(error.message)
    }
  }
  return [failure, attempt]
}
