import { useEffect, useRef, useState } from 'react'
import type { Device } from '../devices/device.ts'
import { anyErrorWords } from '../devices/error-words.ts'

/**
 * Does what may be refused, and keeps what went wrong last for the screen to say. Once the screen is gone, a notice of the
 * device says it. Resolves to whether it went well.
 */
export function useAttempt(
  device: Device,
): [failure: string | undefined, attempt: (work: () => Promise<unknown>) => Promise<boolean>] {
  const [failure, setFailure] = useState<string>()
  const isShown = useRef(true)
  useEffect(() => {
    isShown.current = true
    return () => {
      isShown.current = false
    }
  }, [])
  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work()
      setFailure(undefined)
      return true
    } catch (error) {
      const words = anyErrorWords(error)
      if (words === undefined) throw error
      if (isShown.current) setFailure(words)
      else device.notify({ kind: 'error', text: words })
      return false
    }
  }
  return [failure, attempt]
}
