import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { expect, test } from 'vitest'
import { createYamux } from '../../../src/network/host/yamux.ts'

type Case = readonly [how: string, status: string, end: (connection: MultiaddrConnection) => void]
const CASES: readonly Case[] = [
  ['breaks off', 'closed', (connection) => connection.abort(new Error('it is over'))],
  ['is closed', 'aborted', (connection) => void connection.close().catch(() => {})],
]

test.for(CASES)(
  'a stream is no more when its connection %s while it is opened, and the process lives',
  async ([, status, end]) => {
    const [connection] = multiaddrConnectionPair()
    const muxer = createYamux({ enableKeepAlive: false })().createStreamMuxer(connection)
    const opening = muxer.createStream()
    end(connection)
    expect((await opening).status).toBe(status)
  },
)
