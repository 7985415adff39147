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
  await refused(`pool create ${NAME} --image x --cpus 1001`, /--cpus is "1001"; .*1000 at most/)
  await refused(`pool create ${NAME} --image x --pids 0`, /--pids is "0"; allowed is a whole number from 1/)
  await run(`pool create ${NAME} --image x`)
  await refused(`pool create ${NAME} --image x`, /there is a pool/)
  await refused(`pool rm other`, /there is no pool "other"/, { code: 1 })
})

test('pool create --data, pool data and erase: what services keep stays until it is erased', async ({ withNode }) => {
  const { refused, run, json } = withNode
  expect((await run('pool data')).stdout).toMatch(/No pool has data/)
  await refused(`pool create ${NAME} --image x --data lots`, /--data is "lots"; allowed is a size like "512MiB"/)
  expect((await run(`pool create ${NAME} --image x --data 1GiB`)).stdout).toMatch(
    /\/data: 1 GiB for all together, and no share of it is reserved for one/,
  )
  expect((await run('pool data')).stdout).toMatch(new RegExp(`${NAME} +1 GiB +0 B +words\n`))
  await refused(`pool erase ${NAME}`, /is there/)
  expect((await run(`pool rm ${NAME}`)).stdout).toBe(
    `Removed ${NAME}.\nIts data, 1 GiB, stays: "thundercloud pool erase ${NAME}" removes it.\n`,
  )
  expect((await json('pool data')).values).toMatchObject([{ data: [{ pool: NAME, services: ['words'] }] }])
  expect((await run(`pool erase ${NAME} --service words`)).stdout).toBe(`Removed what words kept of ${NAME}.\n`)
  expect((await run(`pool erase ${NAME}`)).stdout).toBe(`Removed the data of ${NAME}.\n`)
  await refused(`pool erase ${NAME}`, /no pool has left data/, { code: 1 })
})
