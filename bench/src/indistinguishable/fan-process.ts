import { following, RawDevice } from '../raw-device.ts'

/*
 * A follower in a process of its own, so that its work on a frame takes no time from the owner who measures. Its arguments are
 * the server's URL and a token. Each message tells it whether to follow. It answers when the server has the change.
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
