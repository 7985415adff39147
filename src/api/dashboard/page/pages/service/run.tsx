import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { RunView } from '../../../../../node/types.ts'
import { bytesText, visible } from '../../data/text.ts'
import { Card, Fact, State } from '../../parts/bits.tsx'
import { Chart } from '../../parts/chart.tsx'
import { Ago, durationText } from '../../parts/time.tsx'

/** Enough for an hour of looks. */
const MAX_SAMPLES = 720

type Sample = { readonly at: number; readonly cpuMs: number; readonly memoryBytes: number }

/** The run of the service on this node, and what it uses. */
export function RunCard({ run }: { run: RunView }): JSX.Element {
  const samples = useSamples(run)
  const { usage } = run
  return (
    <Card title="Run" note={<>by the executor {run.executor}</>}>
      <dl class="facts facts-row live-value">
        <Fact name="State">
          <State of={run.state} />
        </Fact>
        <Fact name="Since">
          <Ago at={run.since} />
        </Fact>
        <Fact name="Healthy">{run.healthy === undefined ? 'not known yet' : run.healthy ? 'yes' : 'no'}</Fact>
        <Fact name="Restarts">{run.restarts}</Fact>
        {run.exitCode === undefined ? null : <Fact name="Exit code">{run.exitCode}</Fact>}
        {usage === undefined ? null : (
          <>
            <Fact name="Ran for">{durationText(usage.runningMs / 1000)}</Fact>
            <Fact name="Processor time">{durationText(usage.cpuMs / 1000)}</Fact>
            <Fact name="Received">{bytesText(usage.receivedBytes)}</Fact>
            <Fact name="Sent">{bytesText(usage.sentBytes)}</Fact>
          </>
        )}
      </dl>
      {run.detail === undefined ? null : <p>{visible(run.detail, 400)}</p>}
      {usage === undefined ? (
        <p class="soft">What it uses has not been measured yet.</p>
      ) : samples.length < 2 ? (
        <p class="soft">
          It has {bytesText(usage.memoryBytes)} of memory. A plot begins with the node's next look at it.
        </p>
      ) : (
        <Plots samples={samples} />
      )}
    </Card>
  )
}

function Plots({ samples }: { samples: readonly Sample[] }): JSX.Element {
  const times = samples.map(({ at }) => at / 1000)
  const share = samples.map(({ at, cpuMs }, index) => {
    const before = samples[index - 1]
    return before === undefined || at <= before.at ? null : ((cpuMs - before.cpuMs) / (at - before.at)) * 100
  })
  const memory = samples.map(({ memoryBytes }) => memoryBytes)
  const percent = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} %`
  return (
    <div class="plots">
      <div>
        <h3>Memory, since this page was opened</h3>
        <Chart label="Memory over time" times={times} series={{ label: 'memory', values: memory }} text={bytesText} />
      </div>
      <div>
        <h3>Processor, percent of one core</h3>
        <Chart label="Processor over time" times={times} series={{ label: 'cpu', values: share }} text={percent} />
      </div>
    </div>
  )
}

/** What the node saw at each of its looks, since the page was opened. */
function useSamples({ runId, usage }: RunView): readonly Sample[] {
  const [samples, setSamples] = useState<{ runId: string; list: readonly Sample[] }>({ runId, list: [] })
  useEffect(() => {
    if (usage === undefined) return
    const { at, cpuMs, memoryBytes } = usage
    setSamples((before) => {
      const list = before.runId === runId ? before.list : []
      if (list.at(-1)?.at === at) return before
      return { runId, list: [...list, { at, cpuMs, memoryBytes }].slice(-MAX_SAMPLES) }
    })
  }, [runId, usage])
  return samples.runId === runId ? samples.list : []
}
