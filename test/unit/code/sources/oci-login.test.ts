import { mkdir, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { type EgressComponents, machineNetwork } from '../../../../src/egress/index.ts'
import { imageOf } from '../../../fixtures/code/images.ts'
import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { mirror, pagesOf, REF, SIZES } from './oci-pages.ts'

describe('the login of a person', () => {
  const login = `Basic ${Buffer.from('me:secret').toString('base64')}`
  const token: Page = (response) => {
    const known = response.req.headers.authorization === login
    response.end(JSON.stringify({ token: known ? 'for-me' : 'for-anybody' }))
  }
  const seen = ({ headers }: Awaited<ReturnType<typeof sourceServer>>) =>
    headers.map(({ authorization }) => authorization)

  /** A registry of an image for those who are known, and another server. `refuse`: what others get. */
  async function guardedRegistry(
    refuse: (response: ServerResponse, urls: { self: string; other: string }) => void,
    others: (url: string) => Record<string, Page> = () => ({ '/token': token }),
  ) {
    const image = imageOf(1, SIZES)
    const other = await sourceServer(others)
    const registry = await sourceServer((self) => {
      const guarded = (bytes: Page) => (response: ServerResponse) => {
        if (response.req.headers.authorization === 'Bearer for-me') response.end(bytes)
        else refuse(response, { self, other: other.url })
      }
      const pages = Object.entries(pagesOf(image)).map(([path, bytes]) => [path, guarded(bytes)] as const)
      return { '/token': token, ...Object.fromEntries(pages) }
    })
    const home = await tempDir()
    await mkdir(`${home}/.docker`)
    const auths = { [new URL(registry.url).host]: { auth: login.slice('Basic '.length) } }
    await writeFile(`${home}/.docker/config.json`, JSON.stringify({ auths }))
    const fetchAs = (own: boolean, network?: EgressComponents, from = registry.url) =>
      fetchSource({ type: 'oci', ref: REF }, image.code, {
        storage: { ...mirror(from), ALLOWED_STORAGE: ['127.0.0.1', 'tokens.example'] },
        own,
        env: { HOME: home },
        ...(network && { network }),
      })
    return { image, other, registry, fetchAs }
  }
  const challenge = (realm: string) => ({ 'www-authenticate': `Bearer realm="${realm}/token"` })
  const named =
    (realm: (urls: { self: string; other: string }) => string): Parameters<typeof guardedRegistry>[0] =>
    (response, urls) =>
      void response.writeHead(401, challenge(realm(urls))).end()

  test.for([
    ['at the registry itself', true],
    ['at another host, which the registry names', false],
  ] as const)('serves own services alone, where tokens are given %s', async ([, atRegistry]) => {
    const { image, registry, other, fetchAs } = await guardedRegistry(
      named((urls) => (atRegistry ? urls.self : urls.other)),
    )
    const tokens = atRegistry ? registry : other
    await expect(fetchAs(false)).rejects.toThrow(
      /^the image .* team\/app to nobody without a login; `docker login 127\.0\.0\.1:\d+` writes one, which serves images of your own services alone$/,
    )
    for (const one of [registry, other]) expect(seen(one)).not.toContain(login)
    expect((await fetchAs(true)).store.has(image.code)).toBe(true)
    expect(seen(tokens)).toContain(login)
    if (!atRegistry) expect(seen(other)).toEqual([undefined, login])
  })

  test('goes to no host to which the registry redirects, whatever that one names', async () => {
    const away: Parameters<typeof guardedRegistry>[0] = (response, { other }) =>
      void response.writeHead(302, { location: `${other}/blob` }).end()
    const { other, fetchAs } = await guardedRegistry(away, (url) => ({
      '/blob': (response) => void response.writeHead(401, challenge(url)).end(),
      '/token': token,
    }))
    await expect(fetchAs(true)).rejects.toThrow('to nobody without a login')
    expect(other.asked).toContain('/token')
    expect(seen(other)).not.toContain(login)
  })

  test('goes to no host without encryption', async () => {
    const { other, fetchAs } = await guardedRegistry(named(() => 'http://tokens.example'))
    const clock = systemClock()
    const { open } = machineNetwork(clock)
    const network: EgressComponents = {
      lookup: async () => [{ address: '127.0.0.1', family: 4 }],
      open: (address, port, options) => open(address, port === 80 ? Number(new URL(other.url).port) : port, options),
    }
    await expect(fetchAs(true, network)).rejects.toThrow(
      'alone, and does not go to tokens.example, which gives its tokens without encryption',
    )
    expect(other.asked).toEqual(['/token'])
    expect(seen(other)).toEqual([undefined])
  })

  test('that another registry has goes nowhere: a registry that names its tokens gets none', async () => {
    const { registry, fetchAs } = await guardedRegistry(named(({ self }) => self))
    const hostile = await sourceServer(() => {
      const refuse: Page = (response) => void response.writeHead(401, challenge(registry.url)).end()
      return Object.fromEntries(Object.keys(pagesOf(imageOf(1, SIZES))).map((path) => [path, refuse]))
    })
    await expect(fetchAs(true, undefined, hostile.url)).rejects.toThrow('to nobody without a login')
    expect(seen(registry)).toEqual([undefined])
    expect(seen(hostile)).toEqual([undefined, 'Bearer for-anybody'])
  })
})
