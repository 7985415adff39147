import type { FunctionComponent, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Problem } from '../data/request.ts'
import { Loading, ProblemBox } from './states.tsx'

const loaded = new Map<string, FunctionComponent>()

/** Loads a page's code once. Where the node is gone meanwhile, it says so and tries again when a person asks. */
export function Lazy({ id, load }: { id: string; load: () => Promise<FunctionComponent> }): JSX.Element {
  const [view, setView] = useState<{ component: FunctionComponent } | undefined>(() => {
    const component = loaded.get(id)
    return component === undefined ? undefined : { component }
  })
  const [failed, setFailed] = useState(false)
  const [tries, setTries] = useState(0)

  useEffect(() => {
    if (view !== undefined) return
    let gone = false
    void tries
    load().then(
      (component) => {
        loaded.set(id, component)
        if (!gone) setView({ component })
      },
      () => setFailed(true),
    )
    return () => {
      gone = true
    }
  }, [id, load, tries, view])

  if (view !== undefined) return <view.component />
  if (!failed) return <Loading />
  const again = () => {
    setFailed(false)
    setTries(tries + 1)
  }
  return (
    <ProblemBox problem={new Problem('This page could not be loaded from the node.', { status: 0 })} retry={again} />
  )
}
