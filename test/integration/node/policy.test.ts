import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { Reason } from '../../../src/base/verdict.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { test as base, eventually, type Mesh, ON_HOST, trusting } from '../../fixtures/node/mesh.ts'
import { newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()

let mesh: Mesh
const test = base.extend('opened', { auto: true }, ({ mesh: opened }) => {
  mesh = opened
})

/** A publisher, and a node that hears of its service. */
async function published(runner: Readonly<Record<string, unknown>>) {
  const first = await mesh.start('first')
  const second = await mesh.join('second', first, { runner })
  return { first, second, id: await mesh.publish(first, { author }) }
}

/** The reasons in the newest receipt that the publisher has of the other node. */
function receiptOf(publisher: ThundercloudNode, other: ThundercloudNode, id: string) {
  return publisher.service(id).receipts.find(({ node }) => node === other.address)
}

function onWire(reasons: readonly Reason[]): unknown[] {
  return reasons.map(({ warned: _stays, ...reason }) => reason)
}

function pathOf(name: string): string {
  return join(mesh.dir(name), 'runners/andromeda/config.json')
}

async function textWith(change: object): Promise<string> {
  return JSON.stringify({ ...(JSON.parse(await readFile(pathOf('second'), 'utf8')) as object), ...change })
}

describe('what a publisher is told', () => {
  test('is what explain says, word for word, but for what would have been', async () => {
    const { first, second, id } = await published({
      ...ON_HOST,
      KEYWORDS: ['storage'],
      DESC_MAX_LEN: 3,
      MODES: { 'desc-length': 'warn' },
    })
    await eventually(() => expect(receiptOf(first, second, id)).toBeDefined())
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
  test('tells before what stops, stops it, keeps the file before, and the publisher and explain hear the same', async () => {
    const { first, second, id } = await published({ ...ON_HOST, ...trusting(author) })
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
    await eventually(() => expect(why()).toEqual(onWire(verdict.reasons)))

    // SIGHUP, a saved file, or the same once more: nothing is left to change
    await second.reload()
    expect(await second.applyPolicy(text)).toMatchObject({ changes: [] })
    expect((await second.explain(id, { history: true })).history).toHaveLength(2)
    expect(await readFile(`${pathOf('second')}.previous`, 'utf8')).toBe(before)
  })

  test('changes nothing where the folder cannot be read again', async () => {
    const { second, id } = await published({ ...ON_HOST, ...trusting(author) })
    await stateOf(second, id, 'running')
    const before = await readFile(pathOf('second'), 'utf8')
    const text = await textWith({ KEYWORDS: ['storage'] })
    const services = join(mesh.dir('second'), 'services.json')
    const good = await readFile(services, 'utf8')
    await writeFile(services, '{')
    await expect(second.applyPolicy(text)).rejects.toThrow(/services\.json is not JSON/)
    await writeFile(services, good)
    expect(await readFile(pathOf('second'), 'utf8')).toBe(before)
    expect(second.service(id).state).toBe('running')
    expect(second.policy().facts.config.KEYWORDS).toEqual([])
  })
})
