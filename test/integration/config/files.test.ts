import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect } from 'vitest'
import { seededRng } from '../../../src/base/rng.ts'
import { toolchainTableSchema } from '../../../src/config/files/toolchain-schema.ts'
import {
  canonicalToolchain,
  findToolchain,
  initFolder,
  jsonSchemaOf,
  keysOf,
  loadConfiguration,
  loadIdentity,
  loadManifest,
  loadToken,
  toolchains,
} from '../../../src/config/index.ts'
import { parseJson } from '../../../src/config/json.ts'
import { check } from '../../../src/config/settings-error.ts'
import { it, ROOT } from '../../fixtures/config/folder.ts'
import { freePort } from '../../fixtures/net.ts'
import { runNode } from '../../fixtures/program/process.ts'

const CONFIGS = join(ROOT, 'configs')

describe('what is generated', () => {
  it('is fresh', async () => {
    const argv = ['--conditions=thundercloud-source', join(ROOT, 'scripts/generate.ts'), '--check']
    const { stdout } = await promisify(execFile)(process.execPath, argv)
    expect(stdout).toBe('Everything generated is fresh.\n')
  })

  it('tells about every key', () => {
    for (const file of ['node', 'services', 'runner', 'hub', 'manifest'] as const) {
      expect(jsonSchemaOf(file), 'closed').toMatchObject({ type: 'object', additionalProperties: false })
      for (const { key, doc } of keysOf(file)) if (!key.includes('[]')) expect(doc, `${file}: ${key}`).not.toBe('')
    }
    const keyOf = (name: string) => keysOf('runner').find(({ key }) => key === name)
    expect(keyOf('REDIRECTION_DEPTH')).toMatchObject({ type: 'integer', default: '0' })
  })
})

describe('the examples', () => {
  it('name schemas that are there', async () => {
    const files = await readdir(join(CONFIGS, 'examples'), { recursive: true })
    const named: string[] = []
    for (const file of files.filter((name) => name.endsWith('.json'))) {
      const path = join(CONFIGS, 'examples', file)
      const { $schema } = parseJson(await readFile(path, 'utf8')) as { $schema?: string }
      if ($schema === undefined) continue
      expect(JSON.parse(await readFile(resolve(path, '..', $schema), 'utf8'))).toHaveProperty('$schema')
      named.push(file)
    }
    // the seed's own two files stay as they were written
    expect(files.filter((name) => name.endsWith('.json') && !named.includes(name)).sort()).toEqual([
      'seed/runners/dev_andromeda/config.json',
      'seed/services.json',
    ])
  })

  it('hello-web answers on the port of its manifest', async () => {
    const dir = join(CONFIGS, 'examples/hello-web')
    const { name, run, resources } = await loadManifest(join(dir, 'service.json'))
    const env = { PORT: String(run.ports[0]?.port) }
    expect(run).toMatchObject({ kind: 'service', ports: [{ name: 'http', access: 'any' }], env })
    expect(resources.memory).toBe(128 * 1024 ** 2)

    const port = await freePort()
    const [program, ...args] = run.command
    expect(program).toBe('node')
    const options = { cwd: dir, env: { ...run.env, PORT: String(port) } }
    const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(child.stdout, 'data')
      const response = await fetch(`http://127.0.0.1:${port}/x?y`)
      expect(response.headers.get('content-type')).toContain('application/json')
      const answer = { service: name, message: 'Hello from the cloud', path: '/x?y', uptimeSeconds: expect.any(Number) }
      expect(await response.json()).toEqual(answer)
    } finally {
      child.kill()
      expect(await once(child, 'exit')).toEqual([0, null])
    }
  })
})

describe('the table of toolchains', () => {
  it('is valid, and no word means two things', async () => {
    check(toolchainTableSchema, JSON.parse(await readFile(join(CONFIGS, 'toolchains.json'), 'utf8')), 'toolchains.json')
    const entry = { aliases: ['x'], image: 'i', program: 'p', example: [] }
    const twice = () => check(toolchainTableSchema, { a: entry, b: entry }, 't')
    expect(twice).toThrow('shares the name "x" with a')
    const words = toolchains.flatMap(({ name, aliases }) => [name, ...aliases])
    expect(new Set(words).size).toBe(words.length)
  })

  it('knows every spelling of node.js', () => {
    for (const word of ['node', 'Node.js', 'NODEJS', 'javascript', 'node.js'])
      expect(canonicalToolchain(word)).toBe('node.js')
    expect(findToolchain('node')?.image).toBe('thundercloud/node')
    expect(['Golang', 'COBOL'].map(canonicalToolchain)).toEqual(['go', 'cobol'])
    for (const unknown of ['cobol', 'constructor']) expect(findToolchain(unknown)).toBeUndefined()
  })
})

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
    await expect(initFolder('/proc/thundercloud')).rejects.toThrow(
      /^\/proc\/thundercloud cannot be written: no such file or directory$/,
    )
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
    expect(children.filter(({ ended }) => ended === 0)).toHaveLength(1)
    for (const { ended, stderr } of children)
      if (ended !== 0) expect(stderr).toContain('is not empty; name a new or an empty folder')
    await loadConfiguration(temp.in('node'))
    await loadIdentity(temp.in('node'))
    expect(await readdir(temp.path)).toEqual(['node'])
  })

  it.for([
    { name: 'writeFile', count: 1 },
    { name: 'writeFile', count: 5 },
    { name: 'open', count: 2 },
    { name: 'rename', count: 1 },
  ])(
    'killed before its $name number $count: nothing is there, and the next init cleans up',
    async ({ name, count }, { temp }) => {
      const { ended } = await initInChild(temp.in('node'), { name, count })
      expect(ended).toBe('SIGKILL')
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
  const program = runNode(['--input-type=module', '--eval', script], { env: {} })
  return { ended: await program.ended(), stderr: program.stderr }
}
