import { createSocket } from 'node:dgram'
import { promises as dns, type LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createNameLookup } from '../../../src/egress/name-lookup.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const A = 1
const NAME_ERROR = 3

/** A DNS server (RFC 1035): these names have an address, those that begin with `silent` no answer, and all others none. */
async function dnsServer(addresses: Record<string, string>) {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const labels: string[] = []
    let at = 12
    for (; query[at] !== 0; at += 1 + (query[at] as number))
      labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] as number)))
    const name = labels.join('.').toLowerCase()
    const type = query.readUInt16BE(at + 1)
    asked.push(name)
    if (name.startsWith('silent')) return
    const found = addresses[name]
    const isAnswered = found !== undefined && type === A
    const header = Buffer.alloc(12)
    query.copy(header, 0, 0, 2)
    header.writeUInt16BE(0x8180 | (found === undefined ? NAME_ERROR : 0), 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(isAnswered ? 1 : 0, 6)
    const record = isAnswered ? [0xc0, 12, 0, A, 0, 1, 0, 0, 0, 60, 0, 4, ...found.split('.').map(Number)] : []
    socket.send(Buffer.concat([header, query.subarray(12, at + 5), Buffer.from(record)]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  const createResolver = () => {
    const resolver = new dns.Resolver({ timeout: 60_000, tries: 1 })
    resolver.setServers([`127.0.0.1:${socket.address().port}`])
    return resolver
  }
  return { asked, createResolver }
}

describe('names', () => {
  const never = () => new Promise<LookupAddress[]>(() => {})

  test('many whose server is silent keep no other waiting, and end with their deadline', async () => {
    const clock = manualClock()
    const { createResolver, asked } = await dnsServer({ 'good.example': '192.0.2.7' })
    const lookup = createNameLookup({ clock, system: never, createResolver })
    const silent = Array.from({ length: 50 }, (_, at) => lookup(`silent-${at}.example`))
    await expect.poll(() => new Set(asked).size).toBe(50)
    expect(await lookup('good.example')).toEqual([{ address: '192.0.2.7', family: 4 }])
    const ends = Promise.allSettled(silent)
    await clock.advance(15_000)
    for (const end of await ends)
      expect(end).toMatchObject({ reason: { message: 'the resolver does not answer in time' } })
  })

  test('a zone whose names have the system wait leaves half of the thread to others', async () => {
    const clock = manualClock()
    const { createResolver } = await dnsServer({})
    const { asked, answers, system } = heldSystem()
    const lookup = createNameLookup({ clock, system, createResolver })
    const evil = (at: number) => {
      const found = lookup(`a${at}.evil.example`)
      found.catch(() => {})
      return found
    }
    const first = evil(0)
    await expect.poll(() => asked).toEqual(['a0.evil.example'])
    const others = [1, 2, 3].map(evil)
    // they are not in DNS, and wait for the thread
    await new Promise((resolve) => setTimeout(resolve, 200))
    const local = lookup('printer')
    await clock.advance(10_000)
    answers[0]?.reject(new Error('no such name'))
    await expect(first).rejects.toThrow('no such name')
    for (const other of others) await expect(other).rejects.toThrow("the system's own lookup is held up by such names")
    await expect.poll(() => asked).toEqual(['a0.evil.example', 'printer'])
    answers[1]?.resolve([{ address: '10.0.0.1', family: 4 }])
    expect(await local).toHaveLength(1)
    await clock.advance(9_000)
    await expect(evil(4)).rejects.toThrow('it is asked later')
    await clock.advance(1_000)
    const late = lookup('git.corp.example')
    await expect.poll(() => asked.at(-1)).toBe('git.corp.example')
    answers[2]?.resolve([{ address: '10.0.0.2', family: 4 }])
    expect(await late).toHaveLength(1)
  })

  /** The system, which answers when it is told to. */
  function heldSystem() {
    const asked: string[] = []
    const answers: PromiseWithResolvers<LookupAddress[]>[] = []
    const system = (host: string) => {
      asked.push(host)
      const answer = Promise.withResolvers<LookupAddress[]>()
      answers.push(answer)
      return answer.promise
    }
    return { asked, answers, system }
  }
  const git = [{ address: '10.0.0.2', family: 4 }]

  test('a name that the system was slow to find is not refused after it, and another is', async () => {
    const clock = manualClock()
    const { createResolver } = await dnsServer({})
    const { asked, answers, system } = heldSystem()
    const lookup = createNameLookup({ clock, system, createResolver })
    const slow = lookup('git.corp.example')
    await expect.poll(() => asked).toHaveLength(1)
    await clock.advance(5_000)
    answers[0]?.resolve(git)
    expect(await slow).toEqual(git)
    expect(await lookup('git.corp.example')).toEqual(git)
    // whoever answers late may be hostile
    await expect(lookup('a1.evil.example')).rejects.toThrow('it is asked later')
    expect(asked).toHaveLength(1)
    await clock.advance(5_000)
    const fresh = lookup('git.corp.example')
    await expect.poll(() => asked).toHaveLength(2)
    answers[1]?.resolve([])
    expect(await fresh).toEqual([])
  })

  test('a name that the system has found before is known also behind a hostile one, until it is there no more', async () => {
    const clock = manualClock()
    const { createResolver } = await dnsServer({})
    const { asked, answers, system } = heldSystem()
    const lookup = createNameLookup({ clock, system, createResolver })
    const ask = async (host: string, tookMs: number, found: LookupAddress[]) => {
      const before = asked.length
      const asking = lookup(host)
      await expect.poll(() => asked.length).toBe(before + 1)
      await clock.advance(tookMs)
      answers.at(-1)?.resolve(found)
      return await asking
    }
    expect(await ask('git.corp.example', 0, git)).toEqual(git)
    await ask('a0.evil.example', 10_000, [])
    expect(await lookup('git.corp.example')).toEqual(git)
    expect(asked).toEqual(['git.corp.example', 'a0.evil.example'])
    await clock.advance(10_000)
    await ask('git.corp.example', 0, [])
    await ask('a1.evil.example', 10_000, [])
    await expect(lookup('git.corp.example')).rejects.toThrow('it is asked later')
    await clock.advance(10_000)
    await ask('git.corp.example', 0, git)
    // what was found long ago may be wrong by now
    await clock.advance(600_000)
    await ask('a2.evil.example', 10_000, [])
    await expect(lookup('git.corp.example')).rejects.toThrow('it is asked later')
  })

  test('what is not in DNS is asked of the system, one after another; whoever has given up is not asked for', async () => {
    const clock = manualClock()
    const { createResolver } = await dnsServer({})
    const asked: string[] = []
    const answers = [Promise.withResolvers<LookupAddress[]>(), Promise.withResolvers<LookupAddress[]>()]
    const system = (host: string) => answers[asked.push(host) - 1]?.promise ?? never()
    const lookup = createNameLookup({ clock, system, createResolver })
    const stuck = Promise.allSettled([lookup('stuck'), lookup('waits')])
    await expect.poll(() => asked).toEqual(['stuck'])
    await clock.advance(15_000)
    await stuck
    const late = lookup('git.corp.example')
    // its question to DNS is answered before the thread is free
    await expect.poll(() => asked).toEqual(['stuck'])
    answers[0]?.resolve([])
    await expect.poll(() => asked).toEqual(['stuck', 'git.corp.example'])
    answers[1]?.resolve([{ address: '10.0.0.1', family: 4 }])
    expect(await late).toEqual([{ address: '10.0.0.1', family: 4 }])
  })

  test('the hosts file has the first word', async () => {
    const hostsFile = join(await tempDir(), 'hosts')
    await writeFile(
      hostsFile,
      '# 192.0.2.1 good.example\n192.0.2.9\tother.example Good.Example # ours\n::1 good.example\n',
    )
    const { createResolver } = await dnsServer({ 'good.example': '192.0.2.7' })
    const lookup = createNameLookup({ clock: manualClock(), system: never, createResolver, hostsFile })
    expect(await lookup('good.example')).toEqual([
      { address: '192.0.2.9', family: 4 },
      { address: '::1', family: 6 },
    ])
  })
})
