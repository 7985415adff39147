import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { findImage } from '../../../src/code/index.ts'
import { clientAccessReader } from '../../../src/config/index.ts'
import { machineNetwork } from '../../../src/egress/index.ts'
import { REGISTRY_LOGIN, startDockerRegistry } from '../../fixtures/code/docker-registry.ts'
import { fetchSource } from '../../fixtures/code/source-server.ts'
import { digestOf, makeImage } from '../../fixtures/execution/images.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const clock = systemClock()

/** A person with a login at this registry, as `docker login` writes it. */
async function personWithLogin(origin: string) {
  const home = await tempDir()
  await mkdir(join(home, '.docker'))
  const auths = { [new URL(origin).host]: { auth: Buffer.from(REGISTRY_LOGIN).toString('base64') } }
  await writeFile(join(home, '.docker/config.json'), JSON.stringify({ auths }))
  return { HOME: home }
}

test.skipIf(!needs('docker-registry'))(
  'a registry with a password: the login serves own services and `publish` alone, at its origin alone',
  async () => {
    const [registry, other] = await Promise.all([true, true].map((guarded) => startDockerRegistry({ guarded })))
    const image = await makeImage()
    await Promise.all([registry, other].map((one) => one?.push('team/app', image)))
    const env = await personWithLogin(registry?.origin ?? '')
    const at = (one = registry) => ({ REGISTRIES: { DOCKER: [one?.origin ?? ''] } })
    const source = { type: 'oci' as const, ref: `registry.example.org/team/app@${digestOf(image.manifest)}` }
    const refusal = (one = registry) => {
      const { host } = new URL(one?.origin ?? '')
      return `${host} shows team/app to nobody without a login; \`docker login ${host}\` writes one, which serves images`
    }

    const own = await fetchSource(source, image.code, { storage: at(), own: true, env })
    expect(own.store.has(image.code)).toBe(true)
    await expect(fetchSource(source, image.code, { storage: at(), own: false, env })).rejects.toThrow(refusal())
    const elsewhere = fetchSource(source, image.code, { storage: at(other), own: true, env })
    await expect(elsewhere).rejects.toThrow(refusal(other))

    const find = (one = registry) => {
      const init = { registries: at(one).REGISTRIES, clientAccess: clientAccessReader(env), platform: 'linux/amd64' }
      return findImage({ clock, network: machineNetwork(clock) }, 'registry.example.org/team/app:latest', init)
    }
    expect(`sha256:${await find()}`).toBe(digestOf(image.manifest))
    await expect(find(other)).rejects.toThrow(refusal(other))
  },
)
