import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Devices } from '../devices/devices.ts'
import { t } from '../texts/texts.ts'
import { moveIn } from '../town/move-in.ts'
import { citizens, userIdOf } from '../town/people.ts'

/** The devices of the town that are shown at first. */
const shown = [
  ['alice', 'phone'],
  ['alice', 'laptop'],
  ['bob', 'phone'],
] as const

/** Opens the town: its people move in, then three of their devices are shown. */
export function TownButton({ devices }: { devices: Devices }): ReactNode {
  const [done, setDone] = useState<number>()
  const [hasFailed, setFailed] = useState(false)
  const isHere = useRef(true)
  useEffect(() => {
    isHere.current = true
    return () => {
      isHere.current = false
    }
  }, [])
  const open = async (): Promise<void> => {
    setFailed(false)
    setDone(0)
    try {
      await moveIn(setDone)
      // The user may have begun the story meanwhile, or signed in.
      if (isHere.current) for (const [id, device] of shown) devices.add({ user: userIdOf(id), device })
    } catch {
      setFailed(true)
      setDone(undefined)
    }
  }
  const { townButton, townProgress, townFailed } = t.welcome
  return (
    <>
      <Button isDisabled={done !== undefined} onPress={() => void open()}>
        {done === undefined ? townButton : townProgress(done, citizens.length)}
      </Button>
      <p className="warning town-warning" role="status">
        {hasFailed && townFailed}
      </p>
    </>
  )
}
