import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import Docker from 'dockerode'
import { expect, it, onTestFinished } from 'vitest'
import { statOf } from '../../../../src/execution/docker/file-stat.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

const STAT = { size: 3, mode: 0o644, linkTarget: '' }

it('what an engine says of a path leaves no connection behind, which would keep the node', async () => {
  const socketPath = join(await tempDir(), 'docker.sock')
  const engine = createServer((_, answer) => {
    answer.setHeader('x-docker-container-path-stat', Buffer.from(JSON.stringify(STAT)).toString('base64'))
    answer.end()
  })
  engine.keepAliveTimeout = 0
  onTestFinished(() => void engine.closeAllConnections())
  const closed = once(engine, 'connection').then(([socket]) => once(socket, 'close'))
  engine.listen(socketPath)
  await once(engine, 'listening')
  const docker = new Docker({ socketPath })
  expect(await statOf({ askMaybe: (ask) => ask(docker) }, 'pool', '/app')).toEqual(STAT)
  await closed
}, 30_000)
