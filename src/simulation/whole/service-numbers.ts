const SERVICE_NAME = /^service-(\d+)$/

/** All versions of a service have the name of its first. */
export function nameOfService(first: number): string {
  return `service-${first}`
}

/** Which service of the scenario an announcement is. */
export interface ServiceNumbers {
  /** A new version of `replaces`, or a service of its own. To be called before it is announced. */
  publish(service: number, replaces?: number): { readonly name: string; readonly version: number }
  /** An announcement of that name: the first with an id that is not known is the oldest version that has none yet. */
  learn(id: string, name: string, seq?: number): number | undefined
  numberOf(id: string): number | undefined
  /** Those of that name that have this sequence number or a lower one, and were announced by now. A stop has that of what it ends. */
  upTo(name: string, seq: number): readonly number[]
}

type Version = { readonly service: number; seq: number | undefined; id: string | undefined }

export function createServiceNumbers(): ServiceNumbers {
  const byFirst = new Map<number, Version[]>()
  const firstOf = new Map<number, number>()
  const numbers = new Map<string, number>()
  const versionsOf = (name: string) => {
    const first = SERVICE_NAME.exec(name)?.[1]
    return first === undefined ? undefined : byFirst.get(Number(first))
  }
  return {
    publish(service, replaces) {
      const first = replaces === undefined ? service : (firstOf.get(replaces) ?? replaces)
      const versions = byFirst.get(first) ?? []
      byFirst.set(first, versions)
      firstOf.set(service, first)
      versions.push({ service, seq: undefined, id: undefined })
      return { name: nameOfService(first), version: versions.length }
    },
    learn(id, name, seq) {
      const known = numbers.get(id)
      if (known !== undefined) return known
      const version = versionsOf(name)?.find((one) => one.id === undefined)
      if (version === undefined) return undefined
      Object.assign(version, { id, seq })
      numbers.set(id, version.service)
      return version.service
    },
    numberOf: (id) => numbers.get(id),
    upTo: (name, seq) =>
      (versionsOf(name) ?? []).flatMap((one) => (one.seq !== undefined && one.seq <= seq ? [one.service] : [])),
  }
}
