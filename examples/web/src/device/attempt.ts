import { useEffect, useRef, useState } from 'react'
import type { Device } from '../devices/device.ts'
import { anyErrorWords } from '../devices/error-words.ts'

/** Runs work that may be refused. Resolves to whether it succeeded. */
export type Attempt = (work: () => Promise<unknown>) => Promise<boolean>

/**
 * Runs work that may be refused, and keeps the last error text for the screen to show. Once the screen is closed, a notice of
 * the device shows it instead.
 */
export function useAttempt(device: Device): [failure: string | undefined, attempt: Attempt] {
  const [failure, setFailure] = useState<string>()
  const isShown = useRef(true)
  useEffect(() => {
    isShown.current = true
    return () => {
      isShown.current = false
    }
  }, [])
  const attempt: Attempt = async work => {
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
