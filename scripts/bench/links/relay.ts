import { slowRelay } from '../../../test/fixtures/slow-relay.ts'

/** A way to an address that takes time in each direction, in a process of its own. Ends with its parent. */
const [host = '', port = '', delayMs = ''] = process.argv.slice(2)
await using relay = await slowRelay(Number(port), { to: host, at: '0.0.0.0', delayMs: Number(delayMs), lossPercent: 0 })
process.send?.({ port: relay.port })
await new Promise((resolve) => process.once('disconnect', resolve))
