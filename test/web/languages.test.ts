import { expect } from 'vitest'
import { ar } from '../../examples/web/src/texts/ar.ts'
import { de } from '../../examples/web/src/texts/de.ts'
import { test } from './support/chromium.ts'
import { fullPage } from './support/full-page.ts'
import { dialogs, screens, titleIn } from './support/screens-in.ts'

const languages = { de, ar }

test.each([
  ['de', 'small phone'],
  ['ar', 'small phone'],
  ['ar', 'desk'],
] as const)('in the language %s at the size of a %s nothing covers a text or leaves its card', async (tag, size) => {
  const t = languages[tag]
  const demo = await fullPage(size)
  const { page, looks, house } = demo
  const [first = ''] = house.people.keys()
  await page.evaluate(tag => localStorage.setItem('kith-demo:language', tag), tag)
  await page.reload()
  const alice = demo.device(titleIn(t, 'Alice', 'phone'))
  await alice.card.getByText(t.sync.saved, { exact: true }).waitFor()
  const [lang, dir] = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])
  expect([lang, dir]).toEqual([tag, tag === 'ar' ? 'rtl' : 'ltr'])
  // In either direction, texts are aligned with the other texts. Their end is cut off if there is no room.
  const beginnings = await alice.card.locator('.contact-text bdi').evaluateAll(all =>
    all.map(words => {
      const range = document.createRange()
      range.setStart(words.firstChild as Text, 0)
      range.setEnd(words.firstChild as Text, 1)
      const [letter, room] = [range, words.parentElement as Element].map(one => one.getBoundingClientRect()) as [
        DOMRect,
        DOMRect,
      ]
      const isFromRight = document.documentElement.dir === 'rtl'
      range.selectNodeContents(words)
      const { left, right } = range.getBoundingClientRect()
      const isAtSide = isFromRight ? right > room.right - 2 : left < room.left + 2
      return isAtSide && letter.left > room.left - 2 && letter.right < room.right + 2
    }),
  )
  expect(new Set(beginnings)).toEqual(new Set([true]))
  await screens(alice, t, first, looks)
  await dialogs(alice, t, looks)
  await page.getByRole('button', { name: t.page.story, exact: true }).click()
  const story = page.getByRole('region', { name: t.story.label, exact: true })
  await page.locator('.scene-said').filter({ hasText: t.story.bobInNone }).first().waitFor({ state: 'attached' })
  await story.getByRole('button', { name: t.story.go }).click()
  await story.getByRole('button', { name: t.story.next }).waitFor()
  await looks.at(`${tag}-story`)
  expect(looks.found).toEqual([])
})
