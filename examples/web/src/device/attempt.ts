import { useState } from 'react'
import { anyErrorWords } from '../devices/error-words.ts'

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
      const words = anyErrorWords(error)
      if (words === undefined) throw error
      setFailure(words)
      return false
    }
  }
  return [failure, attempt]
}
