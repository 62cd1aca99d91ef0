import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Device, DeviceState } from '../devices/device.ts'
import { t } from '../texts/texts.ts'
import { TheirWords } from './their-words.tsx'

export interface TroubleProps {
  device: Device
  state: Exclude<DeviceState, { state: 'open' }>
  onClose: (() => void) | undefined
}

/** A device that is not open: the reason, and what to do. */
export function Trouble({ device, state, onClose }: TroubleProps): ReactNode {
  const { trouble } = t
  return (
    <div className="trouble">
      <h2>{device.title}</h2>
      {state.state === 'opening' && <p role="status">{trouble.opening}</p>}
      {state.state === 'closed' && (
        <p role="status">
          {state.hasAccountEnded ? `${trouble.accountEnded} ` : ''}
          {trouble.erased}
        </p>
      )}
      {state.state === 'failed' && (
        <div role="alert">
          <p>{trouble.failed}</p>
          <p className="quiet">{trouble.failedHint}</p>
          <p className="quiet">
            <TheirWords>{state.error.message}</TheirWords>
          </p>
        </div>
      )}
      <div className="buttons">
        {state.state !== 'opening' && (
          <Button className="primary" onPress={() => void device.open()}>
            {state.state === 'failed' ? t.device.retry : trouble.beginAgain}
          </Button>
        )}
        {onClose && <Button onPress={onClose}>{t.device.takeOff}</Button>}
      </div>
    </div>
  )
}

/** The data of this device cannot be read. */
export function Unreadable({ error, onAgain }: { error: unknown; onAgain: () => void }): ReactNode {
  return (
    <div className="trouble" role="alert">
      <p>{t.trouble.unreadable}</p>
      <p className="quiet">
        <TheirWords>{error instanceof Error ? error.message : String(error)}</TheirWords>
      </p>
      <div className="buttons">
        <Button className="primary" onPress={onAgain}>
          {t.device.retry}
        </Button>
      </div>
    </div>
  )
}
