import {
  type Audience,
  audiences,
  communicationBetween,
  messagingBetween,
  narrowerAudience,
  type Standing,
  visibility,
} from '@kith/shared'
import { describe, expect, test } from 'vitest'

// The rules as a table, parsed independently of the code. Columns: registered, self, owner blocks, viewer blocks, restricted,
// paired, audience (everyone, contacts, nobody), contact, any grant. `-` matches any value. Exactly one row matches each case.
const table: [columns: string, reason: string, seesLevel0: boolean][] = [
  ['n - - - - - - - -', 'unknown-user', false],
  ['y y - - - - - - -', 'self', false],
  ['y n y - - - - - -', 'blocked', false], // [V1]
  ['y n n y - - - - -', 'blocked', false], // [V1]
  ['y n n n y n - - -', 'restricted', false], // [V2]
  ['y n n n y y e - -', 'visible', true], // [V3], and [V2]: paired
  ['y n n n y y c y -', 'visible', true],
  ['y n n n y y c n y', 'visible', true],
  ['y n n n y y c n n', 'not-granted', false],
  ['y n n n y y n - y', 'visible', true],
  ['y n n n y y n - n', 'not-granted', false],
  ['y n n n n - e - -', 'visible', true], // [V3]
  ['y n n n n - c y -', 'visible', true],
  ['y n n n n - c n y', 'visible', true], // a grant makes a contact
  ['y n n n n - c n n', 'not-granted', false],
  ['y n n n n - n - y', 'visible', true], // any grant, one of 0 too
  ['y n n n n - n - n', 'not-granted', false],
]

const grantSets = [[], [0], [7], [0, 7], [7, 0], [255, 10, 9, 1], [3, 3], [200]]
const levelsShown = [[0], [0], [0, 7], [0, 7], [0, 7], [0, 1, 9, 10, 255], [0, 3], [0, 200]]

const cases = everyCase()

describe('what a viewer sees', () => {
  test('[V1][V2][V3] the table has every case once', () => {
    expect(cases.length).toBe(2 ** 6 * 3 * 2 * grantSets.length)
    for (const standing of cases) expect(rowsFor(standing).length, JSON.stringify(standing)).toBe(1)
  })

  test('[V1][V2][V3] levels and reason match the table in every case', () => {
    for (const standing of cases) {
      const [, reason, seesLevel0] = rowsFor(standing)[0] as (typeof table)[number]
      const shown = levelsShown[grantSets.indexOf(standing.grants as number[])] as number[]
      const expected = { levels: seesLevel0 ? shown : [], reason }
      expect(visibility(standing), JSON.stringify(standing)).toEqual(expected)
    }
  })

  test('[V1][V2] communication depends on neither grants nor privacy, in every case', () => {
    for (const standing of cases) {
      const [, reason] = rowsFor(standing)[0] as (typeof table)[number]
      const expected = reason === 'visible' || reason === 'not-granted' ? 'allowed' : reason
      expect(communicationBetween(standing), JSON.stringify(standing)).toBe(expected)
    }
  })

  test('[V1][V2] messages arrive if communication is allowed and the message audience includes the sender, in every case', () => {
    for (const standing of cases) {
      const communication = communicationBetween(standing)
      const isContact = standing.isContact || standing.grants.length > 0
      const reaches = { everyone: true, contacts: isContact, nobody: false }
      for (const messageAudience of ['everyone', 'contacts', 'nobody'] as const) {
        const expected = communication === 'allowed' && !reaches[messageAudience] ? 'not-granted' : communication
        expect(messagingBetween({ ...standing, messageAudience }), JSON.stringify(standing)).toBe(expected)
      }
    }
  })

  test('[R4] messages arrive by the narrower of two audiences if they arrive by both, in every case', () => {
    for (const standing of cases) {
      for (const own of audiences) {
        for (const widest of audiences) {
          const arrives = (messageAudience: Audience): boolean =>
            messagingBetween({ ...standing, messageAudience }) === communicationBetween(standing)
          expect(arrives(narrowerAudience(own, widest)), `${own}, ${widest}`).toBe(arrives(own) && arrives(widest))
        }
      }
    }
  })

  test('[V3] visible levels are ascending and unique, include 0 if there are any, and are granted', () => {
    for (const standing of cases) {
      const { levels, reason } = visibility(standing)
      expect(levels.every((level, index) => index === 0 || level > (levels[index - 1] as number))).toBe(true)
      expect(levels[0]).toBe(reason === 'visible' ? 0 : undefined)
      expect(levels.every(level => level === 0 || standing.grants.includes(level))).toBe(true)
    }
  })

  test('[V3] the visibility decision does not change its arguments', () => {
    const grants = Object.freeze([9, 1, 5])
    const standing = Object.freeze({
      ...(cases.find(each => visibility(each).reason === 'visible') as Standing),
      grants,
    })
    expect(visibility(standing).levels).toEqual([0, 1, 5, 9])
    expect(grants).toEqual([9, 1, 5])
  })
})

describe('examples, in words', () => {
  const strangers: Standing = {
    isSelf: false,
    areRegistered: true,
    ownerBlocks: false,
    viewerBlocks: false,
    isRestricted: false,
    isPaired: false,
    audience: 'everyone',
    isContact: false,
    grants: [],
  }

  test('[V1] if either user blocks the other, neither sees the other, for any grants', () => {
    const granted = { ...strangers, isContact: true, isPaired: true, grants: [0, 1] }
    expect(visibility({ ...granted, ownerBlocks: true })).toEqual({ levels: [], reason: 'blocked' })
    expect(visibility({ ...granted, viewerBlocks: true })).toEqual({ levels: [], reason: 'blocked' })
  })

  test('[V2] a restricted user and an unpaired user see nothing of each other; pairing lifts only that', () => {
    const restricted = { ...strangers, isRestricted: true }
    expect(visibility(restricted)).toEqual({ levels: [], reason: 'restricted' })
    expect(visibility({ ...restricted, isPaired: true })).toEqual({ levels: [0], reason: 'visible' })
    expect(visibility({ ...restricted, isPaired: true, audience: 'nobody' }).reason).toBe('not-granted')
  })

  test('[V3] the audience `nobody` includes users with a grant, not mere contacts', () => {
    const closed = { ...strangers, audience: 'nobody' as const, isContact: true }
    expect(visibility(closed)).toEqual({ levels: [], reason: 'not-granted' })
    expect(visibility({ ...closed, grants: [4] })).toEqual({ levels: [0, 4], reason: 'visible' })
    expect(visibility({ ...closed, grants: [0] })).toEqual({ levels: [0], reason: 'visible' })
  })
})

function everyCase(): Standing[] {
  const both = [true, false]
  const audiences: Audience[] = ['everyone', 'contacts', 'nobody']
  let all: Partial<Standing>[] = [{}]
  const vary = <K extends keyof Standing>(name: K, values: readonly Standing[K][]): void => {
    all = all.flatMap(each => values.map(value => ({ ...each, [name]: value })))
  }
  vary('areRegistered', both)
  vary('isSelf', both)
  vary('ownerBlocks', both)
  vary('viewerBlocks', both)
  vary('isRestricted', both)
  vary('isPaired', both)
  vary('audience', audiences)
  vary('isContact', both)
  vary('grants', grantSets)
  return all as Standing[]
}

function rowsFor(standing: Standing): typeof table {
  const facts = [
    standing.areRegistered,
    standing.isSelf,
    standing.ownerBlocks,
    standing.viewerBlocks,
    standing.isRestricted,
    standing.isPaired,
    standing.audience,
    standing.isContact,
    standing.grants.length > 0,
  ].map(fact => (typeof fact === 'string' ? fact.charAt(0) : fact ? 'y' : 'n'))
  return table.filter(([columns]) => columns.split(' ').every((want, index) => want === '-' || want === facts[index]))
}
