import { join } from 'node:path'
import { codeAfterClose, importPhoneBook, openBot, publish, takeAlong } from './bot.ts'
import { embed } from './embedded.ts'
import { contractTests, exchange } from './kits.ts'

// Arguments: the server's address, a token of Ada, and a folder. Prints what happened, as JSON.
const [url = '', token = '', folder = '.'] = process.argv.slice(2)

const bot = await openBot(url, 'ada', token, join(folder, 'bot'))
await publish(bot, 'bob')
const card = 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Carol\r\nTEL:01632 960002\r\nEND:VCARD\r\n'
const added = await importPhoneBook(bot, card)
await bot.whenSynced()
const found = await bot.getContacts({ query: 'carol' })
const taken = await takeAlong(bot, folder)
const closed = await codeAfterClose(bot)
const embedded = await embed(join(folder, 'embedded'))
const fields = await exchange()

const result = {
  added,
  found: found.map(({ id }) => id),
  taken,
  closed,
  embedded,
  fields,
  contract: contractTests() > 20,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
