/** The same object but for some members. Its methods still see the original, for some keep their state in private fields. */
export function overriding<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, property) {
      if (Object.hasOwn(members, property)) return Reflect.get(members, property)
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
