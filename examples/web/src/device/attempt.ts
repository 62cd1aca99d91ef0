import { useEffect, useRef, useState } from 'react'
import type { Device } from '../devices/device.ts'
import { anyErrorWords } from '../devices/error-words.ts'

/**
 * Runs work that may be refused, and keeps the last error text for the screen to show. Once the screen is closed, a notice of
 * the device shows it instead. `attempt` resolves to whether the work succeeded.
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
