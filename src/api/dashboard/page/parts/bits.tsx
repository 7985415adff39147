import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ServiceState } from '../../../../node/types.ts'
import type { Tone } from '../data/activity.ts'
import { pathTo } from '../data/router.ts'
import { shortId, visible } from '../data/text.ts'

const TONES: Readonly<Record<string, Tone>> = {
  running: 'good',
  done: 'good',
  accepted: 'wait',
  deciding: 'wait',
  parked: 'wait',
  failed: 'bad',
  pass: 'good',
  defer: 'wait',
  fail: 'bad',
}

/** What a service is doing; also how a rule answered. The word says it, colour and form repeat it. */
export function State({
  of,
  children,
}: {
  of: ServiceState | (string & {})
  children?: ComponentChildren
}): JSX.Element {
  return (
    <span class="state" data-tone={TONES[of] ?? 'calm'}>
      {children ?? visible(of, 40)}
    </span>
  )
}

export function Card(props: {
  title: string
  note?: ComponentChildren
  wide?: boolean
  children: ComponentChildren
}): JSX.Element {
  return (
    <section class="card" data-wide={props.wide} aria-label={props.title}>
      <header class="card-head">
        <h2>{props.title}</h2>
        {props.note === undefined ? null : <div class="soft small">{props.note}</div>}
      </header>
      {props.children}
    </section>
  )
}

/** An id, short; it is copied whole. */
export function Id({ of, head, tail }: { of: string; head?: number; tail?: number }): JSX.Element {
  const [copied, setCopied] = useState(false)
  const copy = () => {
    navigator.clipboard.writeText(of).then(
      () => {
        setCopied(true)
        setTimeout(() => setCopied(false), 1_500)
      },
      () => setCopied(false),
    )
  }
  return (
    <button type="button" class="id mono" title={of} onClick={copy}>
      {shortId(of, head, tail)}
      <span class="unseen"> copy</span>
      <span class="id-copied" role="status">
        {copied ? 'copied' : ''}
      </span>
    </button>
  )
}

/** A service's name was written by its author: it keeps its own direction of writing, and shows what would be invisible. */
export function ServiceLink({ id, name }: { id: string; name?: string | undefined }): JSX.Element {
  return (
    <a class="service-link" href={pathTo('service', id)}>
      {name === undefined ? <span class="mono">{shortId(id)}</span> : <bdi>{visible(name, 80)}</bdi>}
    </a>
  )
}

/** How much of something is in use; `goal`: how far it is, and full is where it shall be. */
export function Meter(props: {
  label: string
  used: number
  total: number
  text: string
  goal?: boolean
}): JSX.Element {
  const share = props.total <= 0 ? 0 : Math.min(1, props.used / props.total)
  const id = `meter-${props.label.replaceAll(' ', '-')}`
  return (
    <div class="meter">
      <span id={id}>{props.label}</span>
      <span class="number soft">{props.text}</span>
      <progress max={1} value={share} aria-labelledby={id} data-full={props.goal !== true && share > 0.9} />
    </div>
  )
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
