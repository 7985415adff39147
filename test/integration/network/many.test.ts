import { expect, test } from 'vitest'
import { addressOf, type Made, networks, until } from './make.ts'

const all = networks()

test('fifty nodes on one loopback address join through one, and gossip reaches all', async () => {
  const hub = await all.make()
  // all at once: the host must not refuse a burst from one address
  const failures: string[] = []
  const others = await Promise.all(
    Array.from({ length: 49 }, () => all.make({ staticNodes: [addressOf(hub)], join: false })),
  )
  for (const made of others) made.events.on('network:dial-failed', ({ reason }) => failures.push(reason))
  await Promise.all(others.map(({ network }) => network.join()))
  const nodes: Made[] = [hub, ...others]
  await until(() => hub.network.peers().length === 49, 'all know the first', 45_000)
  expect(failures).toEqual([])
  await until(() => nodes.every(({ network }) => network.gossip.listeners().length > 0), 'all listen', 45_000)
  const heard = (text: string) =>
    nodes.filter(({ arrivals }) => arrivals.some(({ data }) => new TextDecoder().decode(data) === text)).length
  for (const [index, publisher] of [0, 17, 49].entries()) {
    const text = `message ${index} `.padEnd(700, '.')
    expect(await (nodes[publisher] as Made).network.gossip.publish(new TextEncoder().encode(text))).toBe('published')
    await until(() => heard(text) === 49, `all hear message ${index}`, 45_000)
  }
  expect(nodes.flatMap(({ network }) => network.peers()).every(({ score }) => score >= 0)).toBe(true)
}, 145_000)
