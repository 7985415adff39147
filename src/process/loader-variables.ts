/** Families of variables by which a dynamic loader, a C library, a shell or an interpreter loads or runs other code. */
const PREFIXES = [
  'LD_',
  'DYLD_',
  'GLIBC_',
  'MALLOC_',
  'GCONV_',
  'PYTHON',
  'PERL',
  'RUBY',
  'BASH',
  'NODE_',
  'LUA_',
  'OPENSSL_',
]
const NAMES = new Set([
  ...['ENV', 'SHELLOPTS', 'PS4', 'PROMPT_COMMAND', 'IFS', 'CDPATH', 'GLOBIGNORE', 'FPATH', 'ZDOTDIR'],
  ...[
    'LOCPATH',
    'NLSPATH',
    'GETCONF_DIR',
    'HOSTALIASES',
    'RES_OPTIONS',
    'LOCALDOMAIN',
    'NIS_PATH',
    'TZDIR',
    'NPM_CONFIG_NODE_OPTIONS',
  ],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS', 'CLASSPATH'],
])
/** Of NODE_*, what names a channel or a way of working and loads nothing. */
const HARMLESS = new Set(['NODE_ENV', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'])

/** Could this variable make a program load or run something else before its own first line? */
export function isLoaderVariable(name: string): boolean {
  const upper = name.toUpperCase()
  if (HARMLESS.has(name)) return false
  return NAMES.has(upper) || PREFIXES.some((prefix) => upper.startsWith(prefix))
}
