/** How a line begins, or ends, that names the error which ended a program. Frames of a stack and source lines do not. */
const NAMES_ERROR: readonly RegExp[] = [
  // JavaScript, Python, Java, PHP: "TypeError: x", "Error [ERR_X]: y", "Uncaught Error: z", "java.io.IOException: w"
  /^(?:Uncaught |Exception in thread "[^"]{0,64}" |(?:PHP )?Fatal error: {1,2}(?:Uncaught )?)?[\w$.]{0,120}(?:Error|Exception)(?: \[\w{1,64}\])?(?::|$)/,
  /^\[?UnhandledPromiseRejection\b/,
  // Go, V8, C runtimes
  /^(?:panic|fatal error|FATAL ERROR|error|fatal): /,
  /^thread '.{0,120} panicked at /,
  // Ruby: "main.rb:1:in 'x': message (NameError)"
  /\((?:\w+::)*\w*(?:Error|Exception)\)$/,
]
/** Longer lines say it at their beginning. */
const MAX_LINE = 1000

/**
 * At most `count` of a program's last lines, blank ones left out: those at its end, and where a long stack pushed it out of these, the line
 * that names the error, with what follows it.
 */
export function lastLinesOf(lines: readonly string[], count: number): string[] {
  const written = lines.filter((line) => line.trim() !== '')
  const start = Math.max(0, written.length - count)
  const named = written.findLastIndex((line) => namesError(line.slice(0, MAX_LINE)))
  if (named < 0 || named >= start) return written.slice(start)
  const head = Math.ceil(count / 2)
  return [...written.slice(named, named + head), ...written.slice(start + head)]
}

function namesError(line: string): boolean {
  return NAMES_ERROR.some((pattern) => pattern.test(line))
}
