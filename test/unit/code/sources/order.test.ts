import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { UnavailableError } from '../../../../src/base/errors.ts'
import { seededRng } from '../../../../src/base/rng.ts'
import { TooLargeError } from '../../../../src/code/errors.ts'
import { createRetriever } from '../../../../src/code/retriever.ts'
import { UnusableSourceError } from '../../../../src/code/sources/child/errors.ts'
import type { CodeSources } from '../../../../src/code/sources/sources.ts'
import { codeOf } from '../../../fixtures/code/source-server.ts'
import { packFiles, testMesh, testStore } from '../../../fixtures/code/stores.ts'

const FILES = [{ path: 'a', content: 'x' }]
const https = (name: string) => ({ type: 'https' as const, url: `https://${name}.example/a.tgz` })

/** A node without peers, and what each source does when it is asked. */
async function lonely(
  answers: Record<string, ((signal: AbortSignal | undefined) => Error | undefined | Promise<Error>)[]>,
) {
  const { store, events, seen, log } = await testStore()
  const clock = manualClock(0)
  const asked: [string, number][] = []
  const sources: CodeSources = {
    whyWaits: () => undefined,
    async fetch(source, _code, { signal }) {
      const name = source.type === 'https' ? (source.url.split(/[/.]/)[2] ?? '') : ''
      asked.push([name, Math.round(clock.monotonic() / 1000)])
      const error = await answers[name]?.shift()?.(signal)
      if (error !== undefined) throw error
      await store.addTar(packFiles(FILES))
    },
  }
  const providers = { async *findProviders() {} }
  const components = { clock, rng: seededRng('order'), log, events, streams: testMesh({}), providers, store, sources }
  const retriever = createRetriever(components, {})
  async function fetched(options: Parameters<typeof retriever.fetch>[1]) {
    let over = false
    const done = retriever.fetch(await codeOf(FILES), options).finally(() => {
      over = true
    })
    done.catch(() => {})
    for (let step = 0; step < 2000 && !over; step++) {
      for (let turn = 0; turn < 20 && !over; turn++) await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(250)
    }
    await done
  }
  return { asked, fetched, retriever, seen }
}

describe('the order in which code is looked for', () => {
  test.each([
    [0, 0],
    [1, 5],
    [3, 15],
  ])('%i redirections from the publisher, peers have %i s before a source is asked', async (distance, seconds) => {
    const { asked, fetched } = await lonely({})
    await fetched({ sources: [{ type: 'mesh' }, https('one')], distance })
    expect(asked).toEqual([['one', seconds]])
  })

  test('sources in the order of the author; one that is useless is not asked again, one that is away is', async () => {
    const { asked, fetched, seen } = await lonely({
      useless: [() => new UnusableSourceError('another code')],
      away: [() => new UnavailableError('away'), () => undefined],
    })
    await fetched({ sources: [https('useless'), https('away')] })
    expect(asked.map(([name]) => name)).toEqual(['useless', 'away', 'away'])
    expect(seen.filter(([name]) => name === 'code:source-failed').map(([, detail]) => detail)).toEqual([
      expect.objectContaining({
        source: 'https://useless.example/a.tgz',
        problem: 'another code',
        next: 'https://away.example/a.tgz',
      }),
      expect.objectContaining({ source: 'https://away.example/a.tgz', problem: 'away' }),
    ])
  })

  test('a source that sends without end keeps no other from its turn; where there is none, that is said', async () => {
    const endless = () => new TooLargeError('endless.example sends more than may be downloaded')
    const sources = [https('endless'), https('away')]
    const { asked, fetched } = await lonely({ endless: [endless], away: [() => new UnavailableError('away')] })
    await fetched({ sources })
    expect(asked.map(([name]) => name)).toEqual(['endless', 'away', 'away'])
    const useless = () => new UnusableSourceError('another code')
    const none = await lonely({ endless: [endless], away: [useless] })
    await expect(none.fetched({ sources })).rejects.toThrow('endless.example sends more than may be downloaded')
  })

  test('a source of one service that drips keeps no other service of the code waiting, and ends when the code is here', async () => {
    const { reason, dripping } = drips()
    const { asked, fetched } = await lonely({ dripping: [dripping] })
    const hostile = fetched({ sources: [https('dripping')] })
    await expect.poll(() => asked.length).toBe(1)
    await fetched({ sources: [https('good')] })
    expect(asked.map(([name]) => name)).toEqual(['dripping', 'good'])
    expect(await reason).toMatchObject({ name: 'SupersededError' })
    await hostile
  })

  test('a source that two services name alike is asked once for both', async () => {
    const open = Promise.withResolvers<Error>()
    const { asked, fetched } = await lonely({ one: [() => open.promise, () => undefined] })
    const both = [fetched({ sources: [https('one')] }), fetched({ sources: [https('one')] })]
    await expect.poll(() => asked.length).toBe(1)
    open.resolve(new UnavailableError('away'))
    await Promise.all(both)
    expect(asked.map(([name]) => name)).toEqual(['one', 'one'])
  })

  test('a download ends with the node, at once, and its source is not said to have failed', async () => {
    const { reason, dripping } = drips()
    const { asked, retriever, seen } = await lonely({ dripping: [dripping] })
    const fetching = retriever.fetch(await codeOf(FILES), { sources: [https('dripping')] })
    fetching.catch(() => {})
    await expect.poll(() => asked.length).toBe(1)
    await retriever[Symbol.asyncDispose]()
    expect(await reason).toMatchObject({ name: 'StoppedError' })
    await expect(fetching).rejects.toThrow('the node stops')
    expect(seen.map(([name]) => name)).not.toContain('code:source-failed')
  })
})

/** A source that goes on until its download is aborted, and why it was. */
function drips() {
  const { promise: reason, resolve } = Promise.withResolvers<Error>()
  const dripping = (signal: AbortSignal | undefined) => {
    signal?.addEventListener('abort', () => resolve(signal.reason))
    return reason
  }
  return { reason, dripping }
}
