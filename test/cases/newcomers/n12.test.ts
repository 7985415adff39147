import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HELLO_WEB } from '../../fixtures/node/nodes.ts'
import { openPlace } from '../../fixtures/program/program.ts'

test.each([
  [['help', 'publsh'], "unknown command 'publsh'; did you mean publish? `thundercloud help` lists all"],
  [['publsh', 'x'], "unknown command 'publsh'; did you mean publish? `thundercloud help` lists all"],
  [
    ['help', 'policy', 'aply'],
    "unknown command 'policy aply'; did you mean policy apply? `thundercloud help policy` lists all",
  ],
  [['xyzzyxyzzy'], "unknown command 'xyzzyxyzzy'; `thundercloud help` lists all"],
])('%j suggests what was meant', async (argv, sentence) => {
  await using place = await openPlace()
  expect(await place.ran(argv)).toEqual({ code: 2, out: '', err: `${sentence}\n` })
})

test('Ctrl-C in `publish --wait` says that it stays published, and how to look and to end it', async () => {
  await using place = await openPlace()
  await place.start()
  const folder = join(place.root, 'hello-web')
  await cp(HELLO_WEB, folder, { recursive: true })
  const program = place.run(['publish', folder, '--wait'])
  await program.line((line) => line.startsWith('Published "hello-web"'))
  program.child.kill('SIGINT')
  expect(await program.ended()).toBe(130)
  expect(program.stderr).toContain(
    '"hello-web" stays published. See it with `thundercloud status hello-web`, end it with `thundercloud stop hello-web`.',
  )
}, 180_000)

test('a network name that is not the one of the node to join through is said at once', async () => {
  await using place = await openPlace()
  const { ready } = await place.start()
  const [address] = ready.multiaddrs as string[]
  const { code, err } = await place.ran([
    'status',
    'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    '--join',
    address as string,
    '--network',
    'tset',
  ])
  expect(code).toBe(2)
  expect(err).toBe(
    `${address} is a node of network "test", and this is meant for "tset": say --network test, or join through a node of "tset"\n`,
  )
}, 180_000)
