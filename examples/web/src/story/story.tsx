import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { TheirWords } from '../device/their-words.tsx'
import type { Devices } from '../devices/devices.ts'
import type { DeviceName } from '../devices/name.ts'
import { type Cast, castFor } from './cast.ts'
import { type Step, steps } from './steps.ts'
import { until } from './until.ts'

export interface StoryProps {
  devices: Devices
  hasReceived: (name: DeviceName, text: string) => boolean
  onEnd: () => void
}

type Phase = { state: 'ready' } | { state: 'running' } | { state: 'done' } | { state: 'failed'; message: string }

/** Six steps that anyone can click through: each is done by real devices, and what it claims is looked up on them. */
export function Story({ devices, hasReceived, onEnd }: StoryProps): ReactNode {
  const [index, setIndex] = useState(0)
  const [phase, setPhase] = useState<Phase>({ state: 'ready' })
  const [told, setTold] = useState<readonly string[]>([])
  const cast = useRef<Promise<Cast>>(undefined)
  const leave = useRef(new AbortController())
  const heading = useRef<HTMLHeadingElement>(null)
  /** Whoever was on the page before is back on it afterwards. */
  const before = useRef(devices.all.map(({ name }) => name))
  useEffect(() => {
    if (index > 0) heading.current?.focus()
  }, [index])

  const gather = (): Promise<Cast> => {
    cast.current ??= castFor(devices, hasReceived, leave.current.signal)
    return cast.current
  }
  // The players are there before the first step; what is wrong with them that step says.
  useEffect(() => {
    gather().catch(() => {
      cast.current = undefined
    })
  }, [])

  const step = steps[index] as Step
  const run = async (): Promise<void> => {
    setPhase({ state: 'running' })
    setTold([])
    try {
      const players = await gather()
      await step.run(players)
      for (const { text, isTrue } of step.claims) {
        await until(text, () => isTrue(players), players.signal)
        setTold(before => [...before, text])
      }
      setPhase({ state: 'done' })
    } catch (error) {
      if (leave.current.signal.aborted) return
      setPhase({ state: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
  }
  const end = async (areToStay: boolean): Promise<void> => {
    leave.current.abort()
    onEnd()
    if (!areToStay) await devices.removeAll()
    for (const name of before.current) devices.add(name)
  }
  const next = (): void => {
    setIndex(index + 1)
    setTold([])
    setPhase({ state: 'ready' })
  }

  return (
    <section className="story" aria-label="Guided story">
      <div className="story-text">
        <p className="quiet">
          Step {index + 1} of {steps.length}
        </p>
        <h2 ref={heading} tabIndex={-1}>
          {step.title}
        </h2>
        <p>{step.text}</p>
      </div>
      <div role="status">
        <ul className="claims">
          {step.claims.map(({ text }) => (
            <li key={text} data-told={told.includes(text)}>
              <span aria-hidden="true">{told.includes(text) ? '✓' : '·'}</span> {text}
              {told.includes(text) && <span className="visually-hidden">: seen to be true</span>}
            </li>
          ))}
          {phase.state === 'failed' && (
            <li className="warning">
              <TheirWords>{phase.message}</TheirWords>
            </li>
          )}
        </ul>
      </div>
      <div className="buttons">
        <Button onPress={() => void end(false)}>Leave the story</Button>
        {phase.state === 'done' ? (
          <Button className="primary" onPress={index + 1 < steps.length ? next : () => void end(true)}>
            {index + 1 < steps.length ? 'Next step' : 'Look around'}
          </Button>
        ) : (
          <Button className="primary" isDisabled={phase.state === 'running'} onPress={() => void run()}>
            {phase.state === 'running' ? 'Under way…' : phase.state === 'failed' ? 'Try again' : 'Do it'}
          </Button>
        )}
      </div>
    </section>
  )
}
