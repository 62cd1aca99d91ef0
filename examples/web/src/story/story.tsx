import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { TheirWords } from '../device/their-words.tsx'
import type { Devices } from '../devices/devices.ts'
import type { DeviceName } from '../devices/name.ts'
import { t } from '../texts/texts.ts'
import { type Cast, castFor } from './cast.ts'
import { Scene } from './scene.tsx'
import { type Claim, type Step, storySteps } from './steps.ts'
import { StoryEnd } from './story-end.tsx'
import { pause, until } from './until.ts'

export interface StoryProps {
  devices: Devices
  hasReceived: (name: DeviceName, text: string) => boolean
  onEnd: () => void
}

type Phase = { state: 'ready' } | { state: 'running' } | { state: 'done' } | { state: 'failed'; message: string }

/** Time to look at a device before the story continues with the next. */
const lookMs = 600

/** Six steps to click through. Real devices do each step, and its claims are checked on them. */
export function Story({ devices, hasReceived, onEnd }: StoryProps): ReactNode {
  const [steps] = useState(storySteps)
  const [index, setIndex] = useState(0)
  const [phase, setPhase] = useState<Phase>({ state: 'ready' })
  const [seen, setSeen] = useState<readonly Claim[]>([])
  const [players, setPlayers] = useState<Cast>()
  const [isEnding, setEnding] = useState(false)
  const cast = useRef<Promise<Cast>>(undefined)
  const leave = useRef(new AbortController())
  const heading = useRef<HTMLHeadingElement>(null)
  /** The devices from before the story are restored afterwards. */
  const before = useRef(devices.all.map(({ name }) => name))
  // Each step begins with the focus on its heading.
  useEffect(() => heading.current?.focus(), [index])

  const gather = async (): Promise<Cast> => {
    cast.current ??= castFor(devices, hasReceived, leave.current.signal)
    const gathered = await cast.current
    setPlayers(gathered)
    return gathered
  }
  // The participants are created before the first step; an error of that is reported in that step.
  useEffect(() => {
    devices.setForStory(true)
    gather().catch(() => {
      cast.current = undefined
    })
  }, [])

  const run = async ({ claims, ...step }: Step): Promise<void> => {
    setPhase({ state: 'running' })
    setSeen([])
    try {
      const gathered = await gather()
      await step.run(gathered)
      for (const claim of claims) {
        await until(claim.text, () => claim.isTrue(gathered), gathered.signal)
        gathered.lookAt(claim.at)
        setSeen(before => [...before, claim])
        await pause(lookMs)
      }
      setPhase({ state: 'done' })
    } catch (error) {
      if (leave.current.signal.aborted) return
      setPhase({ state: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
  }
  const end = async (areToStay: boolean): Promise<void> => {
    if (leave.current.signal.aborted) return
    leave.current.abort()
    setEnding(true)
    for (const device of devices.all) device.highlight(false)
    try {
      await cast.current?.catch(() => undefined) // Wait until the devices that it closes are closed.
      if (!areToStay) await devices.removeAll()
    } finally {
      for (const name of before.current) devices.add(name)
      devices.setForStory(false)
      // Last, so that a story that begins now finds these devices.
      onEnd()
    }
  }
  const next = (): void => {
    if (isEnding) return
    players?.lookAt(undefined)
    setIndex(index + 1)
    setSeen([])
    setPhase({ state: 'ready' })
  }

  const step = steps[index]
  if (!step) return <StoryEnd isEnding={isEnding} onStay={() => void end(true)} onLeave={() => void end(false)} />
  const { title, text, claims } = step
  const isLast = index + 1 === steps.length
  const isBusy = isEnding || phase.state === 'running'
  return (
    <section className="story" aria-label={t.story.label}>
      <div className="story-told">
        <div className="story-text">
          <p className="quiet">{t.story.step(index + 1, steps.length)}</p>
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <p>{text}</p>
        </div>
        <div role="status" className="story-scene">
          <Scene cast={players} claims={claims} seen={seen} />
          {phase.state === 'failed' && (
            <p className="warning">
              <TheirWords>{phase.message}</TheirWords>
            </p>
          )}
        </div>
      </div>
      <div className="buttons">
        <Button aria-label={t.story.leaveLabel} aria-disabled={isEnding} onPress={() => void end(false)}>
          {t.story.leave}
        </Button>
        {phase.state === 'done' ? (
          <Button className="primary" aria-disabled={isEnding} onPress={next}>
            <Words>{isLast ? t.story.finish : t.story.next}</Words>
          </Button>
        ) : (
          // `aria-disabled`, not `disabled`, so that the button keeps the focus while the step runs.
          <Button className="primary" aria-disabled={isBusy} onPress={() => isBusy || void run(step)}>
            <Words>
              {phase.state === 'running' ? t.story.running : phase.state === 'failed' ? t.story.again : t.story.go}
            </Words>
          </Button>
        )}
      </div>
    </section>
  )
}

/** Other words are a new element, so that nothing moves to the place where they begin. */
function Words({ children }: { children: string }): ReactNode {
  return <span key={children}>{children}</span>
}
