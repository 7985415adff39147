import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from '../../build.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const read = (file: string) => readFileSync(join(ROOT, 'configs', file), 'utf8')

test('two packages of one build have the same bytes', async () => {
  const digests = [await tempDir(), await tempDir()].map((folder) => {
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }))
    return createHash('sha256')
      .update(readFileSync(join(folder, filename)))
      .digest('hex')
  })
  expect(digests[1]).toBe(digests[0])
})

test.skipIf(!needs('systemd'))('systemd finds nothing wrong with the unit, but what an older one does not know', () => {
  const { stderr } = spawnSync('systemd-analyze', ['verify', join(ROOT, 'configs/systemd/thundercloud.service')], {
    encoding: 'utf8',
  })
  expect(stderr.split('\n').filter((line) => line !== '' && !line.includes('DelegateSubgroup'))).toEqual([])
})

test('the unit leaves out what would keep a sandbox from being made, and has the rest', () => {
  const lines = read('systemd/thundercloud.service').split('\n')
  const keys = lines.flatMap((line) => /^([A-Z]\w+)=/.exec(line)?.[1] ?? [])
  const hostile = ['RestrictNamespaces', 'ProtectHostname', 'SystemCallFilter', 'ProtectKernelTunables', 'ProtectProc']
  for (const key of hostile) expect(keys).not.toContain(key)
  for (const key of ['NoNewPrivileges', 'ProtectSystem', 'PrivateTmp', 'NotifyAccess']) expect(keys).toContain(key)
})

type Compose = {
  services: Record<
    string,
    { read_only?: boolean; cap_drop?: string[]; image: string; volumes?: string[]; ports?: string[] }
  >
}

test('compose: each node is confined, ports are of this machine alone, and every file is there', () => {
  const { services } = parse(read('container/compose.yml'), { merge: true }) as Compose
  const nodes = Object.values(services).filter(({ image }) => image === 'thundercloud')
  expect(nodes).toHaveLength(3)
  for (const node of nodes) expect(node).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
  const ports = Object.values(services).flatMap(({ ports: own = [] }) => own)
  expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  const files = Object.values(services).flatMap(({ volumes = [] }) => volumes.filter((text) => text.startsWith('.')))
  for (const file of files) expect(read(join('container', file.split(':')[0] as string)).length).toBeGreaterThan(0)
})

test('Prometheus scrapes each node of the compose file under the job that alerts and dashboard know', () => {
  const { services } = parse(read('container/compose.yml'), { merge: true }) as Compose
  const { scrape_configs: jobs } = parse(read('container/prometheus.yml')) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[]; labels: object }[] }[]
  }
  const nodes = Object.entries(services).flatMap(([name, { image }]) => (image === 'thundercloud' ? [name] : []))
  expect(jobs.map(({ job_name }) => job_name)).toEqual(nodes)
  for (const { job_name, static_configs } of jobs) {
    expect(static_configs).toEqual([{ targets: [`${job_name}:4981`], labels: { job: 'thundercloud' } }])
  }
})
