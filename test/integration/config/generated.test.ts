import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { toolchainTableSchema } from '../../../src/config/files/toolchain-schema.ts'
import {
  canonicalToolchain,
  findToolchain,
  jsonSchemaOf,
  keysOf,
  loadManifest,
  toolchains,
} from '../../../src/config/index.ts'
import { parseJson } from '../../../src/config/json.ts'
import { check } from '../../../src/config/settings-error.ts'
import { ROOT } from '../../fixtures/config/folder.ts'

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
    expect(keyOf('REDIRECTION_DEPTH')).toMatchObject({ type: 'integer', default: '0', built: true })
    expect(keyOf('NETCAP')).toMatchObject({ built: false })
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
    expect(() => check(toolchainTableSchema, { a: entry(['x']), b: entry(['x']) }, 't')).toThrow(
      'shares the name "x" with a',
    )
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

function entry(aliases: string[]) {
  return { aliases, image: 'i', program: 'p', example: [] }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
