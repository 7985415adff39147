import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { seededRng } from '../../../src/base/rng.ts'
import { initFolder, loadConfiguration, loadIdentity, loadToken } from '../../../src/config/index.ts'
import { it, ROOT } from '../../fixtures/config/folder.ts'

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

describe('init', () => {
  it('writes the whole folder; secrets are the owner’s alone', async ({ temp }) => {
    const dir = temp.in('deep', 'node')
    await initFolder(dir, { rng: seededRng('init') })
    const files = ['api.token', 'identity.pem', 'node.json', 'runners', 'schemas', 'services.json']
    expect((await readdir(dir)).sort()).toEqual(files)
    expect(await modeOf(join(dir, 'identity.pem'))).toBe(0o600)
    expect(await modeOf(join(dir, 'api.token'))).toBe(0o600)
    expect(await readdir(temp.in('deep'))).toEqual(['node'])
    expect(await loadToken(dir)).toMatch(/^[\w-]{43}$/)
    expect((await loadIdentity(dir)).signer.address.type).toBe('ed25519')
  })

  it('every JSON names a schema that is there', async ({ operator: temp }) => {
    const { dir } = temp
    for (const file of ['node.json', 'services.json', 'runners/andromeda/config.json']) {
      const { $schema } = JSON.parse(await readFile(join(dir, file), 'utf8')) as { $schema: string }
      const schema: unknown = JSON.parse(await readFile(join(dir, file, '..', $schema), 'utf8'))
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
    }
  })

  it('takes an empty folder, and what the caller wants otherwise', async ({ temp }) => {
    await initFolder(temp.path, {
      node: { NETWORK: 'demo', VISIBILITY: 'private', LISTEN: ['/ip4/127.0.0.1/tcp/0'], API: '127.0.0.1:0' },
      runner: { KEYWORDS: ['web'], STATIC_NODES: ['/ip4/127.0.0.1/tcp/5000'] },
    })
    const { configuration, notices } = await loadConfiguration(temp.path)
    expect(notices).toEqual([])
    const policy = { config: { KEYWORDS: ['web'] } }
    expect(configuration).toMatchObject({ network: 'demo', visibility: 'private', policy })
  })

  it('refuses a folder that is not empty, and leaves it as it was', async ({ temp }) => {
    await writeFile(temp.in('mine.txt'), 'mine')
    await expect(initFolder(temp.path)).rejects.toThrow(`${temp.path} is not empty; name a new or an empty folder`)
    expect(await readdir(temp.path)).toEqual(['mine.txt'])
    await initFolder(temp.in('node'))
    await expect(initFolder(temp.in('node'))).rejects.toThrow('is not empty')
    await loadConfiguration(temp.in('node'))
  })

  it('says why it cannot write', async ({ temp }) => {
    await writeFile(temp.in('file'), '')
    for (const path of [temp.in('file'), temp.in('file', 'node')])
      await expect(initFolder(path)).rejects.toThrow(`${path} is a file; name a new or an empty folder`)
    // a folder in which not even root makes folders
    await expect(initFolder('/proc/thundercloud')).rejects.toThrow(/^\/proc\/thundercloud cannot be written: .*ENOENT/)
  })

  it('writes nothing when an option is wrong', async ({ temp }) => {
    await expect(initFolder(temp.in('node'), { runner: { REDIRECTION_DEPTH: 9 } })).rejects.toThrow(
      'runners/andromeda/config.json: REDIRECTION_DEPTH is 9; allowed is a whole number from 0 to 8',
    )
    await expect(initFolder(temp.in('node'), { identity: 'no key' })).rejects.toThrow('identity.pem is no key')
    expect(await readdir(temp.path)).toEqual([])
  })

  it('of two at once, one wins and the folder is whole', async ({ temp }) => {
    await mkdir(temp.in('node'))
    const children = await Promise.all([1, 2, 3].map(() => initInChild(temp.in('node'))))
    expect(children.filter(({ code }) => code === 0)).toHaveLength(1)
    for (const { code, stderr } of children)
      if (code !== 0) expect(stderr).toContain('is not empty; name a new or an empty folder')
    await loadConfiguration(temp.in('node'))
    await loadIdentity(temp.in('node'))
    expect(await readdir(temp.path)).toEqual(['node'])
  })

  it.for<[string, number]>([
    ['writeFile', 1],
    ['writeFile', 5],
    ['open', 2],
    ['rename', 1],
  ])(
    'killed before its %s number %i: nothing is there, and the next init cleans up',
    async ([name, count], { temp }) => {
      const { signal } = await initInChild(temp.in('node'), { name, count })
      expect(signal).toBe('SIGKILL')
      const left = await readdir(temp.path)
      expect(left).toHaveLength(1)
      expect(left[0]).toMatch(/^\.node\.init-\d+-/)
      await initFolder(temp.in('node'))
      expect(await readdir(temp.path)).toEqual(['node'])
      await loadConfiguration(temp.in('node'))
    },
  )
})

/** Runs init in a process of its own, which kills itself before the given call into the file system. */
async function initInChild(dir: string, kill?: { name: string; count: number }) {
  const script = `
    import fs from 'node:fs/promises'
    import { syncBuiltinESMExports } from 'node:module'
    const kill = ${JSON.stringify(kill ?? null)}
    if (kill) {
      const original = fs[kill.name]
      let count = 0
      fs[kill.name] = (...args) => {
        if (++count === kill.count) process.kill(process.pid, 'SIGKILL')
        return original(...args)
      }
      syncBuiltinESMExports()
    }
    const { initFolder } = await import(${JSON.stringify(join(ROOT, 'src/config/init.ts'))})
    await initFolder(${JSON.stringify(dir)})
  `
  const argv = ['--input-type=module', '--eval', script]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, stderr }
}
