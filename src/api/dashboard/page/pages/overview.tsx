import type { JSX } from 'preact'
import type { Health, PolicyFacts, PolicyView } from '../../../../node/types.ts'
import { announcements, SPAN_MS } from '../data/feed.ts'
import type { LiveEvent } from '../data/live.ts'
import { useResource } from '../data/resource.ts'
import { pathTo } from '../data/router.ts'
import { changesServices } from '../data/services.ts'
import { many, visible } from '../data/text.ts'
import { Card, Id } from '../parts/bits.tsx'
import { Chart } from '../parts/chart.tsx'
import { Feed } from '../parts/feed.tsx'
import { Show } from '../parts/states.tsx'
import { durationText } from '../parts/time.tsx'
import { Blocked } from './overview/blocked.tsx'
import { Capacity } from './overview/capacity.tsx'
import { RuleCounts } from './overview/rule-counts.tsx'
import { RunningHere } from './overview/running.tsx'

const concernsHealth = (event: LiveEvent) =>
  changesServices(event) || /^(network:peer|execution:executor|node:(un)?drain|node:(paused|resumed))/.test(event.name)
const concernsPolicy = (event: LiveEvent) => changesServices(event) || event.name === 'node:policy'

export function Overview(): JSX.Element {
  const health = useResource<Health>('/health', concernsHealth)
  const policy = useResource<PolicyView & PolicyFacts>('/policy', concernsPolicy)
  return (
    <>
      <Show of={health}>{(value) => <Head health={value} parked={policy.value?.parked} />}</Show>
      <div class="columns">
        <Show of={policy}>
          {({ facts, counts }) => (
            <>
              <div class="stack">
                <RunningHere running={facts.running} />
                <Card title="Activity" note="since this page was opened">
                  <Feed />
                </Card>
              </div>
              <div class="stack">
                <Capacity facts={facts} executors={health.value?.executors ?? []} />
                <Blocked />
                <RuleCounts counts={counts} />
              </div>
            </>
          )}
        </Show>
      </div>
    </>
  )
}

function Head({ health, parked }: { health: Health; parked: number | undefined }): JSX.Element {
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Overview</h1>
          <p class="soft">
            Node <Id of={health.peerId} /> of network <b>{visible(health.network, 80)}</b>, version {health.version}, up{' '}
            {durationText(health.uptimeSeconds)}
          </p>
        </div>
      </div>
      <Condition health={health} />
      <ul class="tiles live-value">
        <Tile title="Neighbours" value={health.peers} href={pathTo('neighbours')} />
        <Tile title="Services known" value={health.services} href={pathTo('services')} />
        <Tile title="Running here" value={health.running} href={pathTo('services', undefined, { state: 'running' })} />
        <Tile title="In the dormitory" value={parked} href={pathTo('dormitory')} />
        <Announcements />
      </ul>
    </>
  )
}

/** What an operator has to know before anything else. */
function Condition({ health }: { health: Health }): JSX.Element | null {
  const missing = health.executors.filter(({ available }) => !available)
  const lines = [
    ...(health.ok ? [] : ['The node says that it is not well.']),
    ...(health.drain === undefined
      ? []
      : [
          health.drain.done
            ? 'The node is drained: nothing runs here.'
            : 'The node is being drained: it takes no new service.',
        ]),
    ...(health.paused === undefined ? [] : ['The node is paused: it begins no new run.']),
    ...(health.executors.length > 0 && missing.length === health.executors.length
      ? ['Nothing can run here: no executor is available.']
      : []),
    ...(health.peers === 0 ? ['No neighbour is connected: announcements neither come nor go.'] : []),
  ]
  if (lines.length === 0) return null
  return (
    <div class="notice" data-tone={health.ok ? 'wait' : 'bad'} role="status">
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  )
}

function Tile({ title, value, href }: { title: string; value: number | undefined; href: string }): JSX.Element {
  return (
    <li>
      <a class="tile" href={href}>
        <span class="tile-name">{title}</span>
        <span class="tile-value number">{value === undefined ? '–' : value.toLocaleString('en')}</span>
      </a>
    </li>
  )
}

function Announcements(): JSX.Element {
  const { at, counts } = announcements.value
  const times = counts.map((_, index) => (at - (counts.length - 1 - index) * SPAN_MS) / 1000)
  const sum = counts.reduce((total, count) => total + count, 0)
  const minutes = Math.max(1, Math.round((counts.length * SPAN_MS) / 60_000))
  return (
    <li class="tile tile-chart">
      <span class="tile-name">Announcements</span>
      <span class="tile-value number">{sum.toLocaleString('en')}</span>
      <span class="soft small">
        in {counts.length * SPAN_MS < 60_000 ? 'the last minute' : `the last ${many(minutes, 'minute')}`}
      </span>
      <Chart
        label="Announcements over time"
        times={times}
        series={[{ label: 'announcements', values: counts }]}
        height={40}
        axes={false}
        text={(value) => many(value, 'announcement')}
      />
    </li>
  )
}
