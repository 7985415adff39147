import { writeFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { parseAddress } from '../../../../protocols/address.ts'
import { cidOfBytes } from '../../../../protocols/encoding.ts'
import { issueTicket } from '../../../../protocols/redirection.ts'
import { decodeService, encodeService } from '../../../../protocols/service.ts'
import { commentedManifest, loadManifest, manifestToBody, parseManifest } from '../../../../src/config/index.ts'
import { it } from '../../../fixtures/config/folder.ts'

const SIGNING = {
  author: parseAddress('HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'),
  seq: 7,
  issued: 1_700_000_000,
  code: cidOfBytes(Uint8Array.of(1)),
  replyTo: [],
  reach: issueTicket(3, new Uint8Array(32)).reach,
}
const LEAST = { name: 'job', toolchain: ['node'], run: { command: ['node', 'x.js'] } }

describe('a manifest', () => {
  it('needs three keys; everything else has a modest default', () => {
    const body = manifestToBody(parseManifest(LEAST), SIGNING)
    expect(body).toMatchObject({
      name: 'job',
      seq: 7,
      title: 'job',
      toolchain: ['node.js'],
      expires: 1_700_000_000 + 7 * 86_400,
      sources: [{ type: 'mesh' }],
      run: { command: ['node', 'x.js'], kind: 'task' },
      resources: { memory: 128 * 1024 ** 2, disk: 64 * 1024 ** 2, cpu: 250, pids: 64 },
      network: [],
      replicas: 1,
    })
    expect(decodeService(encodeService(body))).toEqual(body)
  })

  it('with ports is a service; its ports are the author’s unless it says otherwise', () => {
    const ports = [{ name: 'http', port: 80 }]
    const { run } = manifestToBody(parseManifest({ ...LEAST, run: { ...LEAST.run, ports } }), SIGNING)
    expect(run).toMatchObject({ kind: 'service', ports: [{ name: 'http', port: 80, access: 'author' }] })
  })

  it('becomes the whole body of a service', () => {
    const run = { build: ['npm', 'ci'], env: { A: 'b' }, workdir: 'sub', restart: 'on-failure' }
    const resources = { memory: '1GiB', disk: 0, cpu: 1500, pids: 10 }
    const manifest = parseManifest({
      ...LEAST,
      title: 'A job',
      symbiotes: ['QfzhbWJsPa9NjqxepcXSbp1X58pkQNACS2ReyRo2SMCK'],
      hostchains: ['btc'],
      expires: '90s',
      sources: [
        { type: 'git', url: 'https://example.org/a.git', commit: 'a'.repeat(40), path: 'sub' },
        { type: 'oci', ref: `a/b@sha256:${'0a'.repeat(32)}` },
      ],
      run: { ...LEAST.run, ...run, timeout: '5m' },
      resources,
      network: ['*.example.org:443'],
      replicas: 3,
      reward: { asset: 'KLY', perHour: 0.25 },
    })
    const body = manifestToBody(manifest, SIGNING)
    expect(body.run).toEqual({ ...LEAST.run, ...run, timeout: 300, kind: 'task', ports: [] })
    expect(body.resources).toEqual({ ...resources, memory: 1024 ** 3 })
    expect(body.reward).toEqual({ asset: 'KLY', perHour: '0.25' })
    expect(body.symbiotes).toHaveLength(1)
    expect(body.symbiotes[0]?.slice(0, 2)).toEqual(Uint8Array.of(0xed, 0x01))
    expect(decodeService(encodeService(body))).toEqual(body)
  })

  it('that would not fit into one announcement is refused, with its size', () => {
    const env = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`V${index}`, 'x'.repeat(2000)]))
    const manifest = parseManifest({ ...LEAST, run: { ...LEAST.run, env } })
    expect(() => manifestToBody(manifest, SIGNING)).toThrow(
      /^manifest has 20\d{3} bytes when encoded; allowed are at most 16224: shorten desc, env or the command$/,
    )
  })

  it('as `service new` writes it has comments, and is valid as it stands', async ({ temp }) => {
    await writeFile(temp.in('service.json'), commentedManifest('my-web', './manifest.json'))
    const manifest = await loadManifest(temp.in('service.json'))
    const run = { kind: 'service', ports: [{ name: 'http', port: 8080 }] }
    expect(manifest).toMatchObject({ name: 'my-web', run, depth: 3 })
    expect(() => manifestToBody(manifest, SIGNING)).not.toThrow()
  })

  it('that is missing says how to make one', async ({ temp }) => {
    await expect(loadManifest(temp.in('service.json'))).rejects.toThrow(
      `service.json is not there (${temp.in('service.json')}); run \`thundercloud service new\` to write one`,
    )
  })
})
