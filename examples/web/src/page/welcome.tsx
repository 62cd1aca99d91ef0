import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Devices } from '../devices/devices.ts'
import { t } from '../texts/texts.ts'
import { SignInForm } from './sign-in-form.tsx'
import { TownButton } from './town-button.tsx'

/** Shown while there is no device: three ways to begin. */
export function Welcome({ devices, onTell }: { devices: Devices; onTell: () => void }): ReactNode {
  const { welcome } = t
  return (
    <main className="welcome">
      <h2>{welcome.title}</h2>
      <p>{welcome.text}</p>
      <div className="ways">
        <section>
          <h3>{welcome.storyTitle}</h3>
          <p>{welcome.storyText}</p>
          <Button className="primary" onPress={onTell}>
            {welcome.storyButton}
          </Button>
        </section>
        <section>
          <h3>{welcome.townTitle}</h3>
          <p>{welcome.townText}</p>
          <TownButton devices={devices} />
        </section>
        <section>
          <h3>{welcome.signInTitle}</h3>
          <SignInForm devices={devices} onDone={() => undefined} />
        </section>
      </div>
    </main>
  )
}
