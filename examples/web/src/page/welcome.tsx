import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Devices } from '../devices/devices.ts'
import type { DeviceName } from '../devices/name.ts'
import { SignInForm } from './sign-in-form.tsx'

const three: readonly DeviceName[] = [
  { user: 'alice', device: 'phone' },
  { user: 'alice', device: 'laptop' },
  { user: 'bob', device: 'phone' },
]

/** What stands here before there is any device. */
export function Welcome({ devices, onTell }: { devices: Devices; onTell: () => void }): ReactNode {
  return (
    <main className="welcome">
      <h2>Who knows whom, and who may see what</h2>
      <p>
        Every device on this page is a whole client of its own, with its own database and its own connection to the
        server that serves this page. Take one offline, edit on both, and watch them merge.
      </p>
      <div className="ways">
        <section>
          <h3>Be shown</h3>
          <p>Six steps: edit apart, merge, grant, revoke, block, join. Two minutes.</p>
          <Button className="primary" onPress={onTell}>
            Begin the story
          </Button>
        </section>
        <section>
          <h3>Look around</h3>
          <p>Alice with a phone and a laptop, and Bob with a phone.</p>
          <Button
            onPress={() => {
              for (const name of three) devices.add(name)
            }}
          >
            Open three devices
          </Button>
        </section>
        <section>
          <h3>Sign in</h3>
          <SignInForm devices={devices} onDone={() => undefined} />
        </section>
      </div>
    </main>
  )
}
