import { afterEach, expect, test, vi } from 'vitest'
import { entryFile, entryFlags } from '../../../src/base/child-entry.ts'
import { createEvents, once } from '../../../src/base/events.ts'
import { createLog, silentLog } from '../../../src/base/log.ts'

type Map = { 'test:number': { value: number }; 'test:text': { value: string } }

const it = test
  .extend('seen', (): unknown[] => [])
  .extend('errors', (): unknown[] => [])
  .extend('events', ({ errors }) => createEvents<Map>((error) => errors.push(error)))

it('events: reach the listeners of their name, and the listeners of all', ({ events, seen }) => {
  events.on('test:number', ({ value }) => seen.push(value))
  events.onAny((name, detail) => seen.push([name, detail]))
  events.emit('test:number', { value: 1 })
  events.emit('test:text', { value: 'x' })
  expect(seen).toEqual([1, ['test:number', { value: 1 }], ['test:text', { value: 'x' }]])
})

it('events: end for a listener that was disposed', ({ events, seen }) => {
  {
    using _named = events.on('test:number', ({ value }) => seen.push(value))
    using _any = events.onAny((name) => seen.push(name))
    events.emit('test:number', { value: 1 })
  }
  events.emit('test:number', { value: 2 })
  expect(seen).toEqual([1, 'test:number'])
})

it('events: reach the others when one listener throws', ({ events, seen, errors }) => {
  events.on('test:number', () => {
    throw new Error('mine')
  })
  events.on('test:number', ({ value }) => seen.push(value))
  events.onAny((name) => seen.push(name))
  events.emit('test:number', { value: 1 })
  expect(seen).toEqual([1, 'test:number'])
  expect(errors).toEqual([new Error('mine')])
})

it('events: can be waited for, one that fits', async ({ events }) => {
  const waiting = once(events, 'test:number', { where: ({ value }) => value > 1 })
  for (const value of [1, 2, 3]) events.emit('test:number', { value })
  expect(await waiting).toEqual({ value: 2 })
})

it('events: are waited for until the signal says otherwise', async ({ events }) => {
  const controller = new AbortController()
  const wait = () => once(events, 'test:number', { signal: controller.signal })
  const waiting = wait()
  controller.abort(new Error('stop'))
  for (const one of [waiting, wait()]) await expect(one).rejects.toThrow('stop')
})

afterEach(() => vi.restoreAllMocks())

it('a log: writes one JSON line a sentence, with its fields and the part that speaks', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', write: (line) => void lines.push(line) })
  log.child('network').info('a peer came', { peer: 'x\u001b[2Jy\nz' })
  log.debug('not written at this level')
  expect(lines).toHaveLength(1)
  expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1)
  expect(lines[0]).not.toContain('\u001b')
  const fields = { part: 'network', msg: 'a peer came', peer: 'x\u001b[2Jy\nz' }
  expect(JSON.parse(lines[0] as string)).toMatchObject(fields)
})

it('a log: a line has each key once, and names the parts from the outermost to the one that speaks', () => {
  const lines: string[] = []
  const network = createLog({ level: 'info', write: (line) => void lines.push(line) }).child('network')
  for (const log of [network, network.child('network'), network.child('libp2p')]) log.info('a peer came')
  expect(lines.map((line) => line.match(/"part":"[^"]*"/g))).toEqual([
    ['"part":"network"'],
    ['"part":"network"'],
    ['"part":"network:libp2p"'],
  ])
})

it('a log: keeps the cause of an error', () => {
  const lines: string[] = []
  createLog({ level: 'error', write: (line) => void lines.push(line) }).error('it failed', { err: new Error('why') })
  expect(lines[0]).toContain('why')
})

it('a log: can be silent', () => {
  const written = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'))
  silentLog().child('network').error('nothing')
  for (const write of written) expect(write).not.toHaveBeenCalled()
})

it('the entry file of a child process: is a source beside a source, and compiled beside what is compiled', () => {
  expect(entryFile('file:///a/src/x.ts', './child')).toBe('/a/src/child.ts')
  expect(entryFile('file:///a%20b/dist/x.js', './deep/child')).toBe('/a b/dist/deep/child.js')
  expect(entryFlags('file:///a/src/x.ts')).toEqual(['--conditions=thundercloud-source'])
  expect(entryFlags('file:///a/dist/x.js?v=1')).toEqual([])
})
