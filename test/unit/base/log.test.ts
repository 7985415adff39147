import { afterEach, expect, it, vi } from 'vitest'
import { createLog, silentLog } from '../../../src/base/log.ts'

afterEach(() => vi.restoreAllMocks())

it('a log: writes one JSON line a sentence, with its fields and the part that speaks', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', write: (line) => void lines.push(line) })
  log.child('network').info('a peer came', { peer: 'x\u001b[2Jy\nz' })
  log.debug('not heard at this level')
  expect(lines).toHaveLength(1)
  expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1)
  expect(lines[0]).not.toContain('\u001b')
  const fields = { part: 'network', msg: 'a peer came', peer: 'x\u001b[2Jy\nz' }
  expect(JSON.parse(lines[0] as string)).toMatchObject(fields)
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
