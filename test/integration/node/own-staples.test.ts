import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { addressBytes, formatAddress, parseAddress } from '../../../protocols/address.ts'
import { encodeDelegation } from '../../../protocols/delegation.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { nowSeconds, systemClock } from '../../../src/base/clock.ts'
import { eventually, test } from '../../fixtures/node/mesh.ts'
import { HELLO_WEB, newSigner } from '../../fixtures/node/nodes.ts'

const root = newSigner()

/** What the root says of an address, for so many seconds from then on. */
function vouching(address: string, issued: number, seconds: number): Uint8Array {
  const body = encodeDelegation({
    v: 1,
    issuer: addressBytes(root.address),
    subject: addressBytes(parseAddress(address)),
    depth: 0,
    issued,
    expires: issued + seconds,
    seq: 1,
  })
  return encodeStatement(signStatement(body, 'test', root))
}

test("what a node's own services carry along is stapled by the manifest, what has expired is left out, and others believe it", async ({
  mesh,
}) => {
  const { address } = await mesh.start('owner')
  await mesh.stop('owner')
  const folder = join(mesh.root, 'hello')
  await cp(HELLO_WEB, folder, { recursive: true })
  await mkdir(join(folder, '.thundercloud'), { recursive: true })
  const now = nowSeconds(systemClock())
  await writeFile(join(folder, '.thundercloud/root'), vouching(address, now, 3600))
  await writeFile(join(folder, '.thundercloud/old'), vouching(address, now - 7200, 3600))
  const manifest = await readFile(join(folder, 'service.json'), 'utf8')
  const staple = '{ "staple": [".thundercloud/root", ".thundercloud/old"],'
  await writeFile(join(folder, 'service.json'), manifest.replace('{', staple))
  const services = join(mesh.dir('owner'), 'services.json')
  const settings = JSON.parse(await readFile(services, 'utf8')) as object
  const own = { 'hello-web': { DIR: folder, PUBLISH: true } }
  await writeFile(services, JSON.stringify({ ...settings, SERVICES: own }))

  const owner = await mesh.start('owner')
  const TRUST_TREE = { ROOTS: { [formatAddress(root.address)]: { DEPTH: 1 } } }
  const believer = await mesh.join('believer', owner, { runner: { TRUST_TREE } })
  const heard = () => believer.statements({ address })
  await eventually(() => expect(heard()).toMatchObject([{ via: 'staple', trusted: true, issued: now }]))
  expect(believer.trustTree(address).asked?.in).toBe(true)
  expect(believer.service('hello-web').author).toBe(address)
})
