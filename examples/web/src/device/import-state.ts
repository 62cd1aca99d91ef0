import type { Kith } from '@kith/client'
import type { ContactEntry, ImportPlan, ImportProgress, ImportResult } from '@kith/client/import'
import { useKith } from '@kith/client/react'
import { useState } from 'react'
import { anyErrorWords } from '../devices/error-words.ts'
import { t } from '../texts/texts.ts'

/** How a file is to be read. */
export interface BookChoice {
  file: File
  arePhoneNumbers: boolean
  /** The region of numbers without `+`, such as `GB`; empty if only international numbers count. */
  region: string
  levels: readonly number[]
  doesFollow: boolean
}

/** A remark about an entry for the user. */
export interface Remark {
  id: number
  line: number
  name: string | undefined
  reason: string
}

type ImportStep =
  | { state: 'choosing' }
  | { state: 'busy'; what: string }
  | { state: 'planned'; plan: ImportPlan; remarks: readonly Remark[] }
  | { state: 'done'; result: ImportResult }
  | { state: 'undone' }

export interface Import {
  step: ImportStep
  failure: string | undefined
  read(choice: BookChoice): void
  apply(plan: ImportPlan, removeGone: boolean): void
  undo(result: ImportResult): void
}

/** The steps of an import, one after the other. An error is shown, and its step can be repeated. */
export function useImport(): Import {
  const kith = useKith()
  const [step, setStep] = useState<ImportStep>({ state: 'choosing' })
  const [failure, setFailure] = useState<string>()
  const go = async (what: string, before: ImportStep, work: () => Promise<ImportStep>): Promise<void> => {
    setFailure(undefined)
    setStep({ state: 'busy', what })
    try {
      setStep(await work())
    } catch (error) {
      // For example an unreadable file, a region that does not exist, an exceeded limit.
      const words =
        anyErrorWords(error) ??
        (error instanceof TypeError || error instanceof DOMException ? error.message : undefined)
      if (words === undefined) throw error
      setFailure(words)
      setStep(before)
    }
  }
  const onProgress = ({ stage, done, total }: ImportProgress): void => {
    const words = stage === 'planning' ? t.import.read(done) : t.import.written(done, total ?? done)
    setStep({ state: 'busy', what: words })
  }
  return {
    step,
    failure,
    read: choice => void go(t.import.reading, { state: 'choosing' }, () => plannedStep(kith, choice, onProgress)),
    apply: (plan, removeGone) =>
      void go(t.import.writing, step, async () => ({
        state: 'done',
        result: await plan.apply({ removeGone }),
      })),
    undo: result =>
      void go(t.import.undoing, { state: 'done', result }, async () => {
        await result.undo()
        return { state: 'undone' }
      }),
  }
}

async function plannedStep(
  kith: Kith,
  { file, arePhoneNumbers, region, levels, doesFollow }: BookChoice,
  onProgress: (progress: ImportProgress) => void,
): Promise<ImportStep> {
  const { planImport, readContacts } = await import('@kith/client/import')
  const remarks: Remark[] = []
  const plan = await planImport(kith, noted(readContacts(file), remarks), {
    source: 'file',
    ...(arePhoneNumbers && { phoneNumbers: region === '' ? true : { region } }),
    ...{ levels, subscribe: doesFollow, onProgress },
  })
  for (const { address, label, reason, line } of plan.invalid) {
    remarks.push({
      id: remarks.length,
      line,
      name: label,
      reason:
        address === undefined
          ? t.import.nothing
          : `${address}: ${reason in t.invalid ? t.invalid[reason as keyof typeof t.invalid] : reason}`,
    })
  }
  return { state: 'planned', plan, remarks: remarks.sort((a, b) => a.line - b.line) }
}

/** Passes the entries on, and collects the remarks about them. */
async function* noted(entries: AsyncIterable<ContactEntry>, remarks: Remark[]): AsyncGenerator<ContactEntry> {
  for await (const entry of entries) {
    for (const { line, reason } of entry.diagnoses) remarks.push({ id: remarks.length, line, name: entry.name, reason })
    yield entry
  }
}
