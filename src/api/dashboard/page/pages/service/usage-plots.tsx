import type { ComponentChildren, JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { ratesOf, type UsagePoint } from '../../../../../base/run-usage.ts'
import type { RunView, UsageHistoryView } from '../../../../../node/types.ts'
import type { LiveEvent } from '../../data/live.ts'
import { useResource } from '../../data/resource.ts'
import { bytesText, coresText } from '../../data/text.ts'
import { Chart, type Series } from '../../parts/chart.tsx'
import { Show } from '../../parts/states.tsx'
import { durationText } from '../../parts/time.tsx'

/** What the run used over time, as the node keeps it; also of one that has ended. */
export function UsagePlots({ id, run: { runId } }: { id: string; run: RunView }): JSX.Element {
  const path = `/service/${encodeURIComponent(id)}/usage?run=${encodeURIComponent(runId)}`
  const history = useResource<UsageHistoryView>(path, (event) => measures(event, runId))
  return <Show of={history}>{(value) => <Plots {...value} />}</Show>
}

function measures({ name, detail }: LiveEvent, runId: string): boolean {
  return name === 'execution:usage' && (detail as { runId?: string }).runId === runId
}

function Plots({ points, granted }: UsageHistoryView): JSX.Element {
  const drawn = useMemo(() => seriesOf(points), [points])
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) {
    return <p class="soft">What it uses has not been measured yet, or is not kept any more.</p>
  }
  if (points.length < 2) {
    return <p class="soft">It has been measured once. The plots begin with the node's next look at it, in a minute.</p>
  }
  const { times, cpu, memory, network, disk } = drawn
  const hasDisk = disk[0]?.values.some((value) => value !== null && value > 0) ?? false
  return (
    <>
      <p class="soft">
        Over {durationText(Math.max(0, last.at - first.at) / 1000)}. What is older is put together; of a run that has
        ended it is kept for a week.
      </p>
      <div class="plots">
        <Plot title={<>Processor, of {coresText(granted.cpuMillicores)} granted</>}>
          <Chart label="Processor over time" times={times} series={cpu} text={percentText} />
        </Plot>
        <Plot title={<>Memory, of {bytesText(granted.memoryBytes)} granted</>}>
          <Chart label="Memory over time" times={times} series={memory} bytes text={bytesText} />
        </Plot>
        <Plot title="Network: received, and sent (dashed)">
          <Chart label="Network over time" times={times} series={network} bytes text={rateText} />
        </Plot>
        {hasDisk ? (
          <Plot title={<>Disk, of {bytesText(granted.diskBytes)} granted</>}>
            <Chart label="Disk over time" times={times} series={disk} bytes text={bytesText} />
          </Plot>
        ) : null}
      </div>
    </>
  )
}

function Plot({ title, children }: { title: ComponentChildren; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <h3>{title}</h3>
      {children}
    </div>
  )
}

type Lines = Record<'cpu' | 'memory' | 'network' | 'disk', readonly Series[]> & { readonly times: readonly number[] }

function seriesOf(points: readonly UsagePoint[]): Lines {
  // a clock that was set back draws no line backwards
  let latest = 0
  const ordered = points.filter(({ at }) => {
    if (at <= latest) return false
    latest = at
    return true
  })
  const line = (label: string, of: (point: UsagePoint) => number | undefined): Series => ({
    label,
    values: ordered.map((point) => of(point) ?? null),
  })
  return {
    times: ordered.map(({ at }) => at / 1000),
    cpu: [line('processor', (point) => ratesOf(point).cpu * 100)],
    memory: [line('memory', ({ memoryBytes }) => memoryBytes)],
    network: [line('received', (point) => ratesOf(point).received), line('sent', (point) => ratesOf(point).sent)],
    disk: [line('disk', ({ diskBytes }) => diskBytes)],
  }
}

function percentText(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} %`
}

function rateText(value: number): string {
  return `${bytesText(value)}/s`
}
