import { expect } from 'vitest'
import { test } from '../../fixtures/program/shell.ts'

const NAME = 'web-WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq-node'

test('pool create, ls and rm: what it may use, whether the policy uses it, and what is gone', async ({ withNode }) => {
  const { run, json } = withNode
  expect((await run('pool ls')).stdout).toMatch(/There is no pool/)
  const made = await run(`pool create ${NAME} --image thundercloud/node --memory 1GiB --cpus 0.5 --pids 99`)
  expect(made.stdout).toMatch(
    /: 1 GiB, 0\.5 cores, 99 processes, of thundercloud\/node\.\nNothing runs in it yet: add "web-/,
  )
  expect((await run('pool ls')).stdout).toMatch(
    new RegExp(`${NAME} +thundercloud/node +1 GiB +0\\.5 +99 +running +0\n`),
  )
  const { values } = await json('pool ls')
  const limits = { memoryBytes: 2 ** 30, cpuMillicores: 500, pids: 99 }
  expect(values).toMatchObject([{ pools: [{ name: NAME, ...limits, services: [] }] }])
  expect((await run(`pool rm ${NAME}`)).stdout).toBe(`Removed ${NAME}.\n`)
  expect((await json('pool ls')).values).toEqual([{ pools: [] }])
})

test('pool create and rm: what is wrong is said', async ({ withNode }) => {
  const { refused, run } = withNode
  await refused(`pool create ${NAME}`, /--image is missing/)
  await refused(`pool create ${NAME} --image x --memory lots`, /--memory is "lots"; allowed is a size like "512MiB"/)
  await refused(`pool create ${NAME} --image x --cpus 0`, /--cpus is "0"; allowed are cores like "0.5"/)
  await refused(`pool create ${NAME} --image x --pids 0`, /--pids is "0"; allowed is a whole number from 1/)
  await run(`pool create ${NAME} --image x`)
  await refused(`pool create ${NAME} --image x`, /there is a pool/)
  await refused(`pool rm other`, /there is no pool "other"/, { code: 1 })
})
