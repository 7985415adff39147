/**
 * Only these authors, and only at night.
 *
 * CUSTOM in config.json:
 *   FAMILY     address -> what to call them. Addresses as `thundercloud init` and `explain` print them
 *   HOURS      { FROM, TO }: when services may start, like "22:00" and "06:00". FROM after TO goes over midnight
 *   TIME_ZONE  whose clock that is, like "Europe/Berlin"
 *
 * Everything else is Andromeda's: sizes, toolchains, room, and that a hub's "unsafe" stops everything.
 */
import { andromeda } from 'thundercloud/andromeda'

/** The last zone's format: making one costs more than using it. */
let clock = { timeZone: '', format: undefined }

// What is wrong in CUSTOM is said once, when the runner is loaded, and not at every service.
check(RUNNER_CONFIGS.CUSTOM)

/**
 * @param {import('thundercloud/runner-kit').ReceivedService} service
 * @param {import('thundercloud/runner-kit').RunnerContext} node
 * @returns {import('thundercloud/runner-kit').Verdict}
 */
export default function decide(service, node) {
  const { FAMILY, HOURS, TIME_ZONE } = node.config.CUSTOM
  // hasOwn, because "constructor" is nobody's address
  const member = Object.hasOwn(FAMILY, service.author) ? FAMILY[service.author] : undefined

  // Who is family needs no hub and no root to vouch for him.
  const verdict = andromeda(service, { ...node, inTree: node.inTree || member !== undefined })

  const reasons = [who(service, member, Object.values(FAMILY).sort()), when(node.now, HOURS, TIME_ZONE)]
  if (reasons.every(({ outcome }) => outcome === 'pass')) {
    return { ...verdict, reasons: [...reasons, ...verdict.reasons] }
  }
  // What Andromeda would have run is redirected instead, as REDIRECT says of what does not run here.
  const redirect = verdict.redirect || (verdict.run !== false && node.config.REDIRECT !== 'never')
  return { run: false, redirect, reasons: [...reasons, ...verdict.reasons] }
}

function who(service, member, names) {
  const rule = 'family'
  if (member !== undefined) return { rule, outcome: 'pass', message: `${member} is family` }
  const message = `the author ${service.author} is not family`
  return { rule, outcome: 'fail', message, needs: { field: 'author', must: 'one-of', value: names.join(', ') } }
}

/** No event wakes a parked service at an hour. So it is not parked but redirected, and its reason names the hour. */
function when(now, { FROM, TO }, timeZone) {
  const rule = 'hours'
  const hours = `${FROM} to ${TO} (${timeZone})`
  // The snapshot's time, never the machine's: a replay of last week's traffic decides as last week.
  const minute = minuteOfDay(now, timeZone)
  const [from, to] = [minutes(FROM), minutes(TO)]
  const open = from <= to ? from <= minute && minute < to : from <= minute || minute < to
  if (open) return { rule, outcome: 'pass', message: `within ${hours}` }
  const wait = (from - minute + 1440) % 1440
  const message = `services start here from ${hours}, in ${Math.floor(wait / 60)} h ${wait % 60} min; announce it again then`
  return { rule, outcome: 'defer', message, needs: { field: 'node.time', must: 'be', value: hours } }
}

function minutes(time) {
  const [hour, minute] = time.split(':')
  return Number(hour) * 60 + Number(minute)
}

function minuteOfDay(now, timeZone) {
  if (clock.timeZone !== timeZone) {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    clock = { timeZone, format }
  }
  return minutes(clock.format.format(now * 1000))
}

function check({ FAMILY, HOURS, TIME_ZONE }) {
  if (typeof FAMILY !== 'object' || FAMILY === null || Object.values(FAMILY).some((name) => typeof name !== 'string')) {
    throw new Error('CUSTOM.FAMILY must be an object from address to name')
  }
  for (const key of ['FROM', 'TO']) {
    if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(String(HOURS?.[key]))) {
      throw new Error(`CUSTOM.HOURS.${key} is ${JSON.stringify(HOURS?.[key])}; allowed is a time like "22:00"`)
    }
  }
  if (HOURS.FROM === HOURS.TO) throw new Error('CUSTOM.HOURS has the same FROM and TO: nothing would ever start')
  try {
    minuteOfDay(0, String(TIME_ZONE))
  } catch {
    throw new Error(`CUSTOM.TIME_ZONE is ${JSON.stringify(TIME_ZONE)}; allowed is a zone like "Europe/Berlin"`)
  }
}
