import { signal } from '@preact/signals'
import type { JSX } from 'preact'

const now = signal(Date.now())
setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1_000)

/** The time in ms; what uses it is drawn again each second. */
export function useNow(): number {
  return now.value
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const

/** 4000 -> "1 h 6 min" */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const index = UNITS.findIndex(([, size]) => whole >= size)
  if (index < 0) return `${whole} s`
  const [unit, size] = UNITS[index] as (typeof UNITS)[number]
  const [smaller, smallerSize] = UNITS[index + 1] ?? ['s', 1]
  const rest = Math.floor((whole % size) / smallerSize)
  return `${Math.floor(whole / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${smaller}`}`
}

/** A time (in seconds since 1970) as people say it, and exactly when it is pointed at. */
export function Ago({ at }: { at: number }): JSX.Element {
  const seconds = Math.round(now.value / 1000) - at
  const text = seconds >= 0 ? `${durationText(seconds)} ago` : `in ${durationText(-seconds)}`
  const date = new Date(at * 1000)
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()} class="number">
      {seconds >= 0 && seconds < 2 ? 'now' : text}
    </time>
  )
}
