import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type GitServerInit, git, gitServer } from '../../../fixtures/code/git-server.ts'
import { codeOf, fetchSource, type Page } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { needs } from '../../../require.ts'
import { ABOUT, line, OTHER, outcome as outcomeOf, packed, source } from './git-stand-in.ts'
import { commitOf, idOf, type PackObject, packOf } from './packs.ts'

const FILTER = { 'uploadpack.allowFilter': 'true' }
const GET = 'GET /.git/info/refs'
const POST = 'POST /.git/git-upload-pack'

/** The commits of a repository by what their one file holds: `main` is three, `side` is merged into it, and nothing leads to `lost`. */
async function repository() {
  const dir = await tempDir()
  const commit = (content: string) => {
    writeFileSync(join(dir, 'file'), `${content}\n`)
    git(dir, 'add', '-A')
    git(dir, 'commit', '-qm', content)
    return git(dir, 'rev-parse', 'HEAD')
  }
  git(dir, 'init', '-q', '-b', 'main')
  const one = commit('one')
  git(dir, 'checkout', '-q', '-b', 'side')
  const side = commit('side')
  commit('side end')
  git(dir, 'checkout', '-q', 'main')
  const two = commit('two')
  git(dir, 'merge', '-q', '-s', 'ours', '-m', 'merge', 'side')
  git(dir, 'branch', '-qD', 'side')
  git(dir, 'checkout', '-q', '--detach', one)
  const tagged = commit('tagged')
  git(dir, 'tag', '-am', 'a tag', 'v1')
  const lost = commit('lost')
  git(dir, 'checkout', '-q', 'main')
  const three = commit('three')
  return { dir, commits: { one, side, two, tagged, lost, three } }
}

describe.skipIf(!needs('git'))('a server of another version, or that gives no single commit', () => {
  const outcome = async (
    name: keyof Awaited<ReturnType<typeof repository>>['commits'],
    init: GitServerInit & { gives?: 'tips' },
  ) => {
    const { dir, commits } = await repository()
    const refuses = init.gives === 'tips' ? commits[name] : undefined
    const { url, asked } = await gitServer(dir, { ...init, refuses })
    const files = [{ path: 'file', content: `${name}\n` }]
    const result = await fetchSource(source(`${url}/.git`, commits[name]), files).then(
      async ({ store }) => store.has(await codeOf(files)),
      (error: Error) => error.message,
    )
    return { result, asked, commit: commits[name] }
  }
  const version0 = true

  test.for(['three', 'one', 'tagged'] as const)(
    'by version 0 of the protocol, the commit %j is given in two requests',
    async (name) => {
      expect(await outcome(name, { version0 })).toMatchObject({ result: true, asked: [GET, POST] })
    },
  )

  test('what a tag with a message names is given with the tag', async () => {
    expect(await outcome('tagged', { version0, gives: 'tips' })).toMatchObject({
      result: true,
      asked: [GET, POST, POST],
    })
  })

  test.for(['one', 'side', 'two'] as const)(
    'the commit %j, to which a branch leads, comes with those between',
    async (name) => {
      const { result, asked } = await outcome(name, { version0, config: FILTER, gives: 'tips' })
      expect([result, asked]).toEqual([true, [GET, POST, POST, POST]])
    },
  )

  test('with version 2, too', async () => {
    const { dir, commits } = await repository()
    const { url, asked } = await gitServer(dir, { config: FILTER, refuses: commits.side })
    const files = [{ path: 'file', content: 'side\n' }]
    await fetchSource(source(`${url}/.git`, commits.side), files)
    // one more: version 2 has a command for the branches and tags
    expect(asked).toEqual([GET, POST, POST, POST, POST])
  })

  test('one that leaves out no files has only its branches and tags', async () => {
    const { result, commit, asked } = await outcome('two', { version0, gives: 'tips' })
    expect(result).toContain(`: the repository has no commit ${commit}, or its server gives no single commit`)
    expect(asked).toEqual([GET, POST])
  })

  test('a commit to which no branch or tag leads', async () => {
    const { result, commit, asked } = await outcome('lost', { version0, config: FILTER })
    expect(result).toContain(
      `: no branch or tag of the repository leads to the commit ${commit}, and its server gives no single commit`,
    )
    expect(asked).toEqual([GET, POST, POST])
  })

  test('the commits between count like those of the commit', async () => {
    const { dir, commits } = await repository()
    for (let at = 0; at < 8; at++) {
      writeFileSync(join(dir, 'file'), `${at}\n`)
      git(dir, 'commit', '-qam', `${at}`)
    }
    const { url } = await gitServer(dir, { version0, config: FILTER, refuses: commits.three })
    const limits = { maxBytes: 1024 * 1024, maxEntries: 5 }
    await expect(fetchSource(source(`${url}/.git`, commits.three), OTHER, { limits })).rejects.toThrow(
      /the pack of the commit has \d+ objects; at most 11 are allowed/,
    )
  })
})

describe('a hostile server that refuses a commit by its id', () => {
  const WANTED = 'a'.repeat(40)
  const FILTERS = Buffer.from(ABOUT.toString().replace('0012fetch=shallow', '0019fetch=shallow filter'))
  const content = `tree ${'b'.repeat(40)}\nparent ${WANTED}\nauthor a <a@b.c> 0 +0000\n\nx\n`
  const tip: PackObject = { type: 'commit', content }
  const refusal = line(`ERR upload-pack: not our ref ${WANTED}`)
  const tips = Buffer.concat([line(`${idOf('commit', content)} refs/heads/main\n`), Buffer.from('0000')])

  /** What becomes of it where the requests after the first are answered so, in turn. */
  const answers = (...pages: Page[]) => {
    const left = [refusal, ...pages]
    return outcomeOf(FILTERS, (response) => {
      const page = left.shift()
      if (typeof page === 'function') page(response)
      else response.end(page)
    })
  }

  test.for<[string, Page[], RegExp]>([
    ['names nothing', ['0000'], /has no commit a{40}, or its server gives no single commit/],
    ['refuses its own branches', [tips, refusal], /has no commit a{40}, or its server gives no single commit/],
    ['has a history of a million commits', [tips, packed(packOf([tip], { count: 1_000_000 }))], /too large to read/],
    [
      'has a history of zeros',
      [tips, packed(packOf([{ type: 'blob', content: 'x', size: 10_000_000_000 }]))],
      /too large/,
    ],
    ['has a history that is none', [tips, packed(Buffer.from('PACKnothing at all'))], /cannot be read/],
    [
      'has a history that leads elsewhere',
      [tips, packed(packOf(commitOf().objects))],
      /no branch or tag .* leads to the commit a{40}/,
    ],
    ['then does not give the branch', [tips, packed(packOf([tip])), refusal], /has no commit a{40}/],
    ['then gives the branch alone', [tips, packed(packOf([tip])), packed(packOf([tip]))], /has no object a{40}/],
    [
      'names branches without end',
      [
        (response) => {
          const names = Buffer.concat(Array.from({ length: 1000 }, (_, at) => line(`${WANTED} refs/other/${at}\n`)))
          const more = () => response.write(names, (error) => error ?? more())
          more()
        },
      ],
      /more than the 4 MiB that may be downloaded/,
    ],
  ])('that %s ends in one sentence', async ([, pages, message]) => {
    expect(await answers(...pages)).toMatch(message)
  })

  test('that speaks version 0 and gives no single commit is refused', async () => {
    const about = [line('# service=git-upload-pack\n'), '0000', line(`${WANTED} HEAD\0side-band-64k\n`), '0000']
    expect(await outcomeOf(Buffer.concat(about.map((part) => Buffer.from(part as string))), '')).toMatch(
      /does not speak version 2 of git's protocol, nor version 0, or gives no single commit/,
    )
  })
})
