import { readFile } from 'node:fs/promises'
import { type ContactEntry, readContacts } from '@kith/client/import'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo } from './support/demo.ts'
import { longWord } from './support/full-house.ts'

const label = `Ada, “Countess”; ${longWord} ليلى 🐝\\n`

test('contacts are exported as vCards that a phone book reads again, whatever stands in a name', async () => {
  const { page, device } = await openDemo({ at: '/#alice/phone' })
  const phone = device('Alice’s phone')
  await phone.add('+442079460123\nbob\ncarol@example.org')
  await phone.openContact('Bob')
  await phone.fill(phone.card.getByLabel('Your name for them'), label)
  await phone.goTo('Settings')
  // Chromium names some downloads of a blob "download", regardless of the link.
  await page.evaluate(() => {
    const { click } = HTMLAnchorElement.prototype
    HTMLAnchorElement.prototype.click = function (): void {
      document.body.dataset['saved'] = this.download
      click.call(this)
    }
  })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    phone.card.getByRole('button', { name: 'Export my contacts' }).click(),
  ])
  expect(await page.evaluate(() => document.body.dataset['saved'])).toMatch(/\.vcf$/)
  const text = await readFile(await download.path(), 'utf8')
  expect(text.split('\r\n').filter(line => new TextEncoder().encode(line).length > 75)).toEqual([])
  expect(text.match(/BEGIN:VCARD\r\nVERSION:4\.0\r\n/g)).toHaveLength(3)
  const read: ContactEntry[] = []
  for await (const entry of readContacts(new Blob([text]))) read.push(entry)
  expect(read).toMatchInlineSnapshot(`
    [
      {
        "diagnoses": [],
        "emails": [],
        "index": 0,
        "line": 1,
        "name": "+442079460123",
        "phoneNumbers": [
          "+442079460123",
        ],
      },
      {
        "diagnoses": [
          {
            "line": 7,
            "reason": "There is no phone number and no e-mail address",
          },
        ],
        "emails": [],
        "index": 1,
        "line": 7,
        "name": "Ada, “Countess”; Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft ليلى 🐝\\n",
        "phoneNumbers": [],
      },
      {
        "diagnoses": [],
        "emails": [
          "carol@example.org",
        ],
        "index": 2,
        "line": 13,
        "name": "Carol",
        "phoneNumbers": [],
      },
    ]
  `)
})
