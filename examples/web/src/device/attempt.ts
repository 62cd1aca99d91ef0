import { KithError } from '@kith/client'
import { useState } from 'react'
import { errorWords } from '../devices/error-words.ts'

/** Does what may be refused, and keeps what went wrong last for the page to say. Resolves to whether it went well. */
export function useAttempt(): [
  failure: string | undefined,
  attempt: (work: () => Promise<unknown>) => Promise<boolean>,
] {
  const [failure, setFailure] = useState<string>()
  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work()
      setFailure(undefined)
      return true
    } catch (error) {
      if (!(error instanceof KithError)) throw error
      setFailure(errorWords(error))
      return false
    }
  }
  return [failure, attempt]
}
