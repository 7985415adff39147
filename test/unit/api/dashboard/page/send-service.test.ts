import { expect, test } from 'vitest'
import {
  NOTHING_SENT,
  progressText,
  type SendProgress,
  sendService,
} from '../../../../../src/api/dashboard/page/pages/publish/send-service.ts'

test('what the page says while it sends is true, also after the node has refused the service, and at the next attempt', async () => {
  const size = 4 * 1024
  let sent: SendProgress = NOTHING_SENT
  let busy = true
  let refused = true
  const said: string[] = []
  const say = () => {
    const { bar, next } = progressText(sent, size, busy)
    said.push(`${bar}. ${next}`)
  }
  const tell = (now: SendProgress) => {
    sent = now
    say()
  }
  const node = {
    async upload(_path: string, _body: Blob, progress: (share: number) => void) {
      progress(0.5)
      return { code: 'c' }
    },
    async send(_path: string, value: unknown) {
      if (refused) throw new Error('no')
      return { id: `of ${value}` }
    },
  }
  const attempt = () => sendService(node, new Blob(), (code) => code, tell)
  const sending = [
    '0 B of 4 KiB. The browser sends the code to the node.',
    '2 KiB of 4 KiB. The browser sends the code to the node.',
    'all 4 KiB. The node signs and announces the service.',
  ]

  await expect(attempt()).rejects.toThrow('no')
  expect(said).toEqual(sending)
  said.length = 0
  busy = false
  say()
  expect(said).toEqual(['all 4 KiB. '])
  said.length = 0
  busy = true
  refused = false
  expect(await attempt()).toBe('of c')
  expect(said).toEqual(sending)
})
