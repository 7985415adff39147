import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import type { Reason } from '../../../src/base/verdict.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import {
  addFolder,
  announce,
  bytesOf,
  createWorld,
  HELLO_WEB,
  type NodeWorld,
  newSigner,
  stateOf,
} from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const trusting = { TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } } }
const onHost = { PREFER_TOOLCHAIN: { host: ['node.js'] } }

let world: NodeWorld
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

/** A publisher, and a node that hears of its service. */
async function published(runner: Readonly<Record<string, unknown>>) {
  const first = await world.start('first')
  const second = await world.start('second', { runner: { ...runner, STATIC_NODES: first.multiaddrs() } })
  await vi.waitFor(() => expect(first.peers()).toHaveLength(1), { timeout: 45_000 })
  const code = await addFolder(first, HELLO_WEB)
  const announcement = announce(author, { code, replyTo: first.multiaddrs() })
  const id = announcement.signed.id.toString()
  await first.receive(bytesOf(announcement), { asPublisher: true })
  return { first, second, id }
}

/** The reasons in the newest receipt that the publisher has of the other node. */
function receiptOf(publisher: ThundercloudNode, other: ThundercloudNode, id: string) {
  return publisher.service(id).receipts.find(({ node }) => node === other.address)
}

function onWire(reasons: readonly Reason[]): unknown[] {
  return reasons.map(({ warned: _stays, ...reason }) => reason)
}

function pathOf(name: string): string {
  return join(world.dir(name), 'runners/andromeda/config.json')
}

async function textWith(change: object): Promise<string> {
  return JSON.stringify({ ...(JSON.parse(await readFile(pathOf('second'), 'utf8')) as object), ...change })
}

describe('what a publisher is told', () => {
  it('is what explain says, word for word, but for what would have been', async () => {
    const { first, second, id } = await published({
      ...onHost,
      KEYWORDS: ['storage'],
      DESC_MAX_LEN: 3,
      MODES: { 'desc-length': 'warn' },
    })
    await vi.waitFor(() => expect(receiptOf(first, second, id)).toBeDefined(), { timeout: 45_000 })
    const { verdict, from } = await second.explain(id)
    expect(from).toBe('journal')
    const failed = verdict.reasons.filter(({ outcome }) => outcome === 'fail').map(({ rule }) => rule)
    expect(failed).toEqual(['keywords', 'trust'])
    expect(verdict.reasons.find(({ rule }) => rule === 'desc-length')).toMatchObject({
      outcome: 'pass',
      warned: 'fail',
    })
    expect(receiptOf(first, second, id)).toMatchObject({ state: 'redirected', reasons: onWire(verdict.reasons) })
    // nothing has changed since: a decision of now says the same
    const now = await second.explain(id, { now: true })
    expect([now.from, now.verdict.reasons]).toEqual(['now', verdict.reasons])
  })
})

describe.skipIf(!needs('bubblewrap'))('a policy that is put in force', () => {
  it('tells before what stops, stops it, keeps the file before, and the publisher and explain hear the same', async () => {
    const { first, second, id } = await published({ ...onHost, ...trusting })
    await stateOf(second, id, 'running')
    const before = await readFile(pathOf('second'), 'utf8')
    const text = await textWith({ KEYWORDS: ['storage'] })

    const { changes: preview } = await second.previewPolicy(text)
    expect(preview).toMatchObject([{ id, name: 'hello-web', from: 'run', to: 'redirected' }])
    expect(second.service(id).state).toBe('running')
    expect(await readFile(pathOf('second'), 'utf8')).toBe(before)

    const { changes } = await second.applyPolicy(text)
    expect(changes.map(({ from, to }) => [from, to])).toEqual([['run', 'redirected']])
    await stateOf(second, id, 'stopped')
    expect(await readFile(pathOf('second'), 'utf8')).toBe(text)
    expect(await readFile(`${pathOf('second')}.previous`, 'utf8')).toBe(before)
    const { verdict, history = [] } = await second.explain(id, { history: true })
    expect(verdict.reasons.find(({ rule }) => rule === 'keywords')).toMatchObject({ outcome: 'fail' })
    expect(history.map((past) => past.verdict?.run === false)).toEqual([true, false])
    expect(new Set(history.map(({ policy }) => policy)).size).toBe(2)
    expect(history[0]?.policy).toBe(second.policy().hash)
    // beside how its run ended, which only a receipt says
    const why = () => receiptOf(first, second, id)?.reasons.filter(({ rule }) => !rule.startsWith('run:'))
    await vi.waitFor(() => expect(why()).toEqual(onWire(verdict.reasons)), {
      timeout: 45_000,
    })

    // SIGHUP, a saved file, or the same once more: nothing is left to change
    await second.reload()
    expect(await second.applyPolicy(text)).toMatchObject({ changes: [] })
    expect((await second.explain(id, { history: true })).history).toHaveLength(2)
    expect(await readFile(`${pathOf('second')}.previous`, 'utf8')).toBe(before)
  })

  it('changes nothing where the folder cannot be read again', async () => {
    const { second, id } = await published({ ...onHost, ...trusting })
    await stateOf(second, id, 'running')
    const before = await readFile(pathOf('second'), 'utf8')
    const text = await textWith({ KEYWORDS: ['storage'] })
    const services = join(world.dir('second'), 'services.json')
    const good = await readFile(services, 'utf8')
    await writeFile(services, '{')
    await expect(second.applyPolicy(text)).rejects.toThrow(/services\.json is not JSON/)
    await writeFile(services, good)
    expect(await readFile(pathOf('second'), 'utf8')).toBe(before)
    expect(second.service(id).state).toBe('running')
    expect(second.policy().facts.config.KEYWORDS).toEqual([])
  })
})
