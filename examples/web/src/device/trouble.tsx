import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Device, DeviceState } from '../devices/device.ts'
import { TheirWords } from './their-words.tsx'

export interface TroubleProps {
  device: Device
  state: Exclude<DeviceState, { state: 'open' }>
  onClose: (() => void) | undefined
}

/** A device that is not open: what is the matter, and what can be done. */
export function Trouble({ device, state, onClose }: TroubleProps): ReactNode {
  return (
    <div className="trouble">
      <h2>{device.title}</h2>
      {state.state === 'opening' && <p role="status">Opening what is on this device…</p>}
      {state.state === 'closed' && (
        <p role="status">
          {state.hasAccountEnded ? 'The account was erased. ' : ''}Nothing of this device is here any more.
        </p>
      )}
      {state.state === 'failed' && (
        <div role="alert">
          <p>
            Nothing can be read or stored in this browser just now. <TheirWords>{state.error.message}</TheirWords>.
          </p>
          <p className="quiet">Private windows and blocked site data do this. What is on the server is safe.</p>
        </div>
      )}
      <div className="buttons">
        {state.state !== 'opening' && (
          <Button className="primary" onPress={() => void device.open()}>
            {state.state === 'failed' ? 'Try again' : 'Begin anew'}
          </Button>
        )}
        {onClose && <Button onPress={onClose}>Take off this page</Button>}
      </div>
    </div>
  )
}

/** What this device holds can't be read just now. */
export function Unreadable({ error, onAgain }: { error: unknown; onAgain: () => void }): ReactNode {
  return (
    <div className="trouble" role="alert">
      <p>
        What this device holds can’t be read.{' '}
        <TheirWords>{error instanceof Error ? error.message : String(error)}</TheirWords>
      </p>
      <div className="buttons">
        <Button className="primary" onPress={onAgain}>
          Try again
        </Button>
      </div>
    </div>
  )
}
