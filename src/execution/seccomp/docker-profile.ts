import { ABSENT_CALLS, DENIED_CALLS, NEW_NAMESPACES, SOCKET_FAMILIES } from './denials.ts'

/**
 * System calls that a container's programs may make: those of Linux 6.1 on x86-64 and arm64, less those that Docker's default
 * profile (20.10 to 28) ties to a capability, less our denials. A kernel may have newer ones; they fail with EPERM until
 * they are named here.
 */
const ALLOWED_CALLS = `
accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown clock_getres clock_gettime
clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group
faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr
flock fork fremovexattr fsetxattr fstat fstatat fstatfs fsync ftruncate futex futex_waitv futimesat get_robust_list
get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid
getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt
gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
io_destroy io_getevents io_pgetevents io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule
landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr
lseek lsetxattr lstat madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap
msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause
pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2
prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read
readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2
restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto
set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority
setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown
sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync sync_file_range
sync_file_range2 syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime
utimensat utimes vfork vmsplice wait4 waitid write writev
`
  .trim()
  .split(/\s+/)

/** Personalities without effect on the address space's layout: Linux, and asking which one is in force. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]
const ENOSYS = 38

type Rule = {
  readonly names: readonly string[]
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO'
  readonly errnoRet?: number
  readonly args?: readonly { index: number; value: number; valueTwo?: number; op: string }[]
}

const equal = (value: number) => [{ index: 0, value, op: 'SCMP_CMP_EQ' }]
const allow = (names: readonly string[], args?: Rule['args']): Rule => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  ...(args !== undefined && { args }),
})

/** What Docker takes as `seccomp=...`. Programs for other processors than the machine's own (32 bit) may call nothing. */
export function dockerSeccompProfile(more: readonly Rule[] = []): string {
  const denied = new Set([...Object.keys(DENIED_CALLS), ...Object.keys(ABSENT_CALLS)])
  const syscalls: Rule[] = [
    allow(ALLOWED_CALLS.filter((name) => !denied.has(name))),
    ...SOCKET_FAMILIES.map((family) => allow(['socket'], equal(family))),
    ...PERSONALITIES.map((value) => allow(['personality'], equal(value))),
    allow(['clone'], [{ index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
    { names: Object.keys(ABSENT_CALLS), action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ...more,
  ]
  const archMap = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'].map((architecture) => ({
    architecture,
    subArchitectures: [],
  }))
  return JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', archMap, syscalls })
}

const NEW_USER_NAMESPACE = 0x10000000

/**
 * For a container in which root makes namespaces and mounts for others: the kernel lets nobody else do either, and a user
 * namespace, in which anybody could, is made by nobody.
 */
export function poolSeccompProfile(): string {
  return dockerSeccompProfile([
    allow(['mount', 'umount2']),
    allow(['unshare'], [{ index: 0, value: NEW_USER_NAMESPACE, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
  ])
}
