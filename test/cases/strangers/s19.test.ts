import { expect, test } from 'vitest'
import { createApiClient } from '../../../src/api/index.ts'
import { listFolder, packEntries } from '../../../src/code/index.ts'
import { announce, bytesOf, HELLO_WEB, newSigner } from '../../fixtures/node/nodes.ts'
import { openPlace } from '../../fixtures/program/program.ts'

/** What a terminal obeys or nobody sees, one of each kind; line ends and tabs are fields' own affair. */
const HOSTILE = [
  '\u001b[2J',
  '\u0007',
  '\u0085',
  '\u009b31m',
  '\u00ad',
  '\u061c',
  '\u115f',
  '\u180e',
  '\u200b',
  '\u200e\u200f',
  '\u2028',
  '\u202a\u202e',
  '\u2060\u2062',
  '\u2066\u2069',
  '\ufe0f',
  '\ufeff',
  '\ufff9',
  '\u{e0001}\u{e0041}\u{e007f}',
  '\u{e0100}',
]
const SEEN = /[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

function unseenIn(text: string): string[] {
  return [...text.replace(/[\n\t]/g, '')].filter((each) => SEEN.test(each)).map((each) => JSON.stringify(each))
}

test('no output of the program has a character that a terminal obeys or that nobody sees', async () => {
  await using place = await openPlace({ node: { LOG_LEVEL: 'trace' } })
  const { program, ready } = await place.start()
  const client = createApiClient({ url: 'http://localhost', socketPath: ready.socket as string })
  const { code } = await client.addArchive(packEntries(await listFolder(HELLO_WEB)))
  const ids: string[] = []
  for (const text of HOSTILE) {
    const service = announce(newSigner(), { name: `a-${ids.length}`, code, title: `x${text}y`, desc: `x${text}y` })
    const told = await client.announce(bytesOf(service)).catch((error: Error) => error)
    // what the wire itself refuses cannot be shown
    if (!(told instanceof Error)) ids.push(told.id)
    else expect(unseenIn(told.message)).toEqual([])
  }
  expect(ids.length).toBeGreaterThan(5)
  const listed = await place.ran(['list', '--all', '--json'])
  expect(unseenIn(listed.out)).toEqual([])
  const titles = (JSON.parse(listed.out) as { title: string }[]).map(({ title }) => title)
  expect(titles.some((title) => SEEN.test(title))).toBe(true)
  for (const id of [ids[0], ids.at(-1)] as string[]) {
    for (const argv of [
      ['status', id],
      ['status', id, '--json'],
      ['explain', id],
    ]) {
      const { code: exit, out, err } = await place.ran(argv)
      expect([exit, unseenIn(out + err)]).toEqual([0, []])
    }
  }
  // events of the running node, its log, and errors that quote what was typed
  expect(unseenIn(program.stdout + program.stderr)).toEqual([])
  for (const argv of [
    ['status', 'a\u001b[2J\u009b\u{e0041}'],
    ['lo\u202egs'],
    ['list', '--api', 'x\u009b'],
    ['publish', '/none/\u001b[31m\u2062', '--json'],
  ]) {
    const { code: exit, out, err } = await place.ran(argv)
    expect(exit).not.toBe(0)
    expect(unseenIn(out + err)).toEqual([])
  }
}, 240_000)
