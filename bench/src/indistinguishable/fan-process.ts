import { following, RawDevice } from '../raw-device.ts'

/*
 * A follower in a process of its own, so that what it does with a frame takes no time of the owner who measures. It gets the
 * server's URL and a token as arguments, and by each message whether it is to follow; it answers when the server has that.
 */
const [url = '', token = '', owner = ''] = process.argv.slice(2)
const fan = new RawDevice('the-fan')
await fan.connect({ url }, token)
process.on('message', (isFollowed: boolean) => {
  const [follow] = following([owner])
  const change = { root: 'subscriptions', key: owner, value: isFollowed ? follow?.value : undefined }
  void fan.edit('roster', [change]).then(() => process.send?.('done'))
})
process.send?.('ready')
