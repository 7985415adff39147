/** Run with: node --test runner.test.js (in the repository: with --conditions=thundercloud-source) */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRunner, EXAMPLE_STRANGER, openRunner } from 'thundercloud/runner-kit'

const file = new URL('./runner.js', import.meta.url)
const runner = await openRunner(file)
after(() => runner.close())

const ADA = Object.keys(runner.config.CUSTOM.FAMILY)[0]
/** In Berlin, in winter: one hour ahead of UTC. */
const at = (time) => ({ now: Date.parse(`2026-01-15T${time}:00+01:00`) / 1000, own: EXAMPLE_STRANGER })

test('keeps the contract of runners', async (t) => {
  const accepts = { service: { author: ADA }, snapshot: at('23:30') }
  t.diagnostic((await assertRunner(file, { accepts, deterministic: true })).text)
})

test('runs what family sends at night', async () => {
  for (const time of ['22:00', '23:59', '00:00', '05:59']) {
    const { run, reasons } = await runner.decide({ author: ADA }, at(time))
    assert.notEqual(run, false, `${time}: ${JSON.stringify(reasons)}`)
  }
})

test('redirects it by day, and says when to announce it again', async () => {
  for (const [time, wait] of [
    ['06:00', '16 h 0 min'],
    ['21:59', '0 h 1 min'],
  ]) {
    const { run, redirect, park, reasons } = await runner.decide({ author: ADA }, at(time))
    assert.deepEqual({ run, redirect, park }, { run: false, redirect: true, park: undefined })
    const hours = reasons.find(({ rule }) => rule === 'hours')
    assert.equal(hours?.outcome, 'defer')
    assert.ok(hours.message.includes(`in ${wait}`), hours.message)
  }
})

test('knows the hours of summer', async () => {
  // 20:30 UTC is 22:30 in Berlin's summer and 21:30 in its winter.
  const own = EXAMPLE_STRANGER
  const [summer, winter] = ['2026-07-15', '2026-01-15'].map((day) => Date.parse(`${day}T20:30:00Z`) / 1000)
  assert.notEqual((await runner.decide({ author: ADA }, { now: summer, own })).run, false)
  assert.equal((await runner.decide({ author: ADA }, { now: winter, own })).run, false)
})

test('runs nothing of others, whatever the hour', async () => {
  for (const time of ['12:00', '23:30']) {
    const { run, reasons } = await runner.decide({ author: EXAMPLE_STRANGER }, { ...at(time), own: ADA })
    assert.equal(run, false)
    assert.equal(reasons[0].needs?.value, 'Ada, Grace')
  }
})

test('says what is wrong in CUSTOM when it is loaded', async () => {
  const custom = runner.config.CUSTOM
  for (const [change, sentence] of [
    [{ HOURS: { FROM: '22:00', TO: '6:00' } }, /CUSTOM\.HOURS\.TO is "6:00"; allowed is a time like "22:00"/],
    [{ HOURS: { FROM: '22:00', TO: '22:00' } }, /nothing would ever start/],
    [{ TIME_ZONE: 'Mars/Olympus' }, /CUSTOM\.TIME_ZONE is "Mars\/Olympus"/],
    [{ FAMILY: ['Ada', 7] }, /CUSTOM\.FAMILY must be an object/],
  ]) {
    await assert.rejects(openRunner(file, { config: { CUSTOM: { ...custom, ...change } } }), sentence)
  }
})
