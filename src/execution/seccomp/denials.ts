/** A call's numbers on x86-64 and on arm64. */
export type CallNumbers = readonly [x64: number, arm64: number]

/**
 * What no service may ask of the kernel, in a sandbox of the host and in a container: it makes namespaces, mounts, keys
 * and kernel modules, or traces programs. Answered with EPERM.
 */
export const DENIED_CALLS: Readonly<Record<string, CallNumbers>> = {
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  quotactl: [179, 60],
  acct: [163, 89],
  syslog: [103, 116],
}

/**
 * Answered with ENOSYS, so that libraries take another way: asynchronous I/O has tables of the whole machine or of a
 * user, and clone3 has its flags behind a pointer, which no filter can follow.
 */
export const ABSENT_CALLS: Readonly<Record<string, CallNumbers>> = {
  io_setup: [206, 0],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  clone3: [435, 435],
}

/**
 * Memory that no process has to map: ENOSYS as well where no cgroup counts memory, since a sum of what processes
 * map does not include it. Programs fall back to files of /dev/shm, which is bounded.
 */
export const UNCOUNTED_CALLS: Readonly<Record<string, CallNumbers>> = {
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
}

/** A socket's families: AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, all bound to the run's own network or file system. Others: EAFNOSUPPORT. */
export const SOCKET_FAMILIES: readonly number[] = [1, 2, 10, 16]
/** Flags of clone that make namespaces: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. With one: EPERM. */
export const NEW_NAMESPACES = 0x7e020000
export const SOCKET: CallNumbers = [41, 198]
export const CLONE: CallNumbers = [56, 220]
