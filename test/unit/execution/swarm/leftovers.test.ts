import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { createLeftovers } from '../../../../src/execution/swarm/launcher/leftovers.ts'

const repository = (task: string) =>
  `thundercloud-image-swarm-${createHash('sha256').update(`swarm.${task}`).digest('hex').slice(0, 12)}`
const labels = (task: string) => ({ 'thundercloud.node': `swarm.${task}` })
const launcher = (task: string, State: string) => ({ Id: task, State, Labels: { 'com.docker.swarm.task.id': task } })

/** An engine that has these things, and answers 409 to the removal of those that are busy. */
function scripted({ containers = [], volumes = [], images = [], busy = [] }: Partial<Record<string, unknown[]>>) {
  const removed: string[] = []
  const { ask } = {
    async ask(method: 'GET' | 'DELETE', path: string) {
      const { pathname, searchParams } = new URL(path, 'http://engine')
      if (method === 'DELETE') {
        const name = decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1))
        if (busy.includes(name)) return { status: 409, json: undefined }
        removed.push(name)
        return { status: 204, json: undefined }
      }
      const { label, reference } = JSON.parse(searchParams.get('filters') ?? '{}')
      if (pathname === '/volumes') return { status: 200, json: { Volumes: volumes } }
      if (pathname === '/images/json')
        return { status: 200, json: reference === undefined ? [] : [{ RepoTags: images }] }
      const has = ({ Labels }: { Labels: Record<string, string> }) => label.every((name: string) => name in Labels)
      return { status: 200, json: (containers as never[]).filter(has) }
    },
  }
  return { leftovers: createLeftovers(ask), removed }
}

it('a launcher that ends removes the image of its run, also when nothing else of that is left', async () => {
  const images = [`${repository('mine')}:abc`, `${repository('other')}:abc`, 'thundercloud-image-0123:abc', 'nginx:1']
  const { leftovers, removed } = scripted({ images })
  await leftovers.removeOwned('swarm.mine')
  expect(removed).toEqual([`${repository('mine')}:abc`])
})

it('sweeps containers, volumes and images of each task that has no launcher here any more, and of no other', async () => {
  const parts = ['killed', 'alive'].map((task) => ({ Id: `run-${task}`, State: 'running', Labels: labels(task) }))
  const { leftovers, removed } = scripted({
    containers: [...parts, launcher('killed', 'exited'), launcher('alive', 'running')],
    volumes: [
      { Name: 'v-killed', Labels: labels('killed') },
      { Name: 'v-alive', Labels: labels('alive') },
    ],
    images: ['killed', 'alive', 'older'].map((task) => `${repository(task)}:abc`),
  })
  await leftovers.sweep()
  expect(removed).toEqual(['run-killed', 'v-killed', `${repository('killed')}:abc`, `${repository('older')}:abc`])
})

it('says so where something cannot be removed, and removes the rest', async () => {
  const { leftovers, removed } = scripted({
    containers: [{ Id: 'stuck', State: 'running', Labels: labels('mine') }],
    volumes: [{ Name: 'v', Labels: labels('mine') }],
    images: [`${repository('mine')}:abc`],
    busy: ['stuck'],
  })
  await expect(leftovers.removeOwned('swarm.mine')).rejects.toThrow(
    'the engine answers 409 to DELETE /containers/stuck',
  )
  expect(removed).toEqual(['v', `${repository('mine')}:abc`])
}, 20_000)
