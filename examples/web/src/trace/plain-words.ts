import { circleName, circleNames } from '../circles.ts'
import { fieldLabel } from '../device/field-list.tsx'
import { personName, titleOf } from '../devices/name.ts'
import { isolated } from '../isolation.ts'
import { t } from '../texts/texts.ts'
import type { Entry } from './entry.ts'
import type { Fact } from './facts.ts'

/** An event in words that need no knowledge of Kith. */
export function plainWords({ name, brief, facts = [] }: Entry): string {
  const { said, state } = t.trace
  const device = titleOf(name)
  switch (brief.is) {
    case 'changed':
    case 'copied':
      if (facts.length > 0) return said[brief.is](device, factWords(facts))
      return brief.isAnswer ? said.nothingNew(device) : said[brief.is](device, t.trace.facts.unknown)
    case 'checked': {
      const person = whose(brief.person)
      const checked =
        brief.levels.length === 0
          ? said.checkedNothing(device, person)
          : said.checked(device, person, circleNames(brief.levels))
      return brief.hasJoined ? `${said.joined(person)}. ${checked}` : checked
    }
    case 'received': {
      const fields = brief.fields.map(field => isolated(fieldLabel(field))).join(', ')
      return said.received(device, whose(brief.person), `${fields} (${circleName(brief.level)})`)
    }
    case 'asked':
    case 'wrote':
    case 'read':
      return said[brief.is](device, whose(brief.person))
    case 'presence':
      return said.presence(device, whose(brief.person), state[brief.state])
    case 'outcome':
      return said.outcome(device, state[brief.state])
    default:
      return said[brief.is](device)
  }
}

const mostFacts = 4

function factWords(facts: readonly Fact[]): string {
  const words = facts.slice(0, mostFacts).map(oneFact)
  const rest = facts.length - mostFacts
  return [...words, ...(rest > 0 ? [t.import.more(rest)] : [])].join(', ')
}

function oneFact({ is, person, level = 0, name = '', isGone }: Fact): string {
  const { facts } = t.trace
  const who = person === undefined ? '' : whose(person)
  switch (is) {
    case 'field':
      return (isGone ? facts.fieldGone : facts.field)(isolated(fieldLabel(name)), circleName(level))
    case 'circle':
      return (isGone ? facts.circleGone : facts.circle)(who, circleName(level))
    case 'contact':
      return (isGone ? facts.contactGone : facts.contact)(who)
    case 'block':
      return (isGone ? facts.blockGone : facts.block)(who)
    case 'follow':
      return (isGone ? facts.followGone : facts.follow)(who)
    case 'label':
      return facts.label(who)
    case 'setting':
      return facts.setting
  }
}

function whose(user: string): string {
  return isolated(personName(user))
}
