import { readFileSync } from 'node:fs'

// Only Node's own modules are imported here, because nothing else can be loaded if there are few descriptors.

/** For Node itself, the logs, requests for an issuer's keys, and the files of the data folder. */
const ownDescriptors = 64
/** LevelDB accepts no fewer (`SanitizeOptions` in its db_impl.cc), and keeps no more than it needs. */
const fewestDatabaseFiles = 74
/** The value of the `level` package. */
const mostDatabaseFiles = 1000
const fewestSockets = 54

const fewestDescriptors = ownDescriptors + fewestDatabaseFiles + fewestSockets

/** How the descriptors of a process are divided. */
export interface DescriptorShares {
  /** Files that the database keeps open. */
  databaseFiles: number
  /** Sockets of all kinds. */
  sockets: number
}

/**
 * Divides the descriptors that this process may have: first what the store needs, and the rest for sockets.
 *
 * @param limit - How many descriptors the process may have.
 * @returns The shares.
 */
export function descriptorShares(limit: number = openFileLimit()): DescriptorShares {
  const databaseFiles = Math.min(mostDatabaseFiles, Math.max(fewestDatabaseFiles, Math.floor(limit / 4)))
  return { databaseFiles, sockets: Math.max(1, limit - ownDescriptors - databaseFiles) }
}

/**
 * Returns what is wrong and what to do, if this process may have too few descriptors for a server.
 *
 * @param limit - How many descriptors the process may have.
 * @returns The text, or `undefined`.
 */
export function descriptorProblem(limit: number = openFileLimit()): string | undefined {
  if (limit >= fewestDescriptors) return undefined
  return (
    `this process may have only ${limit} files and sockets open at a time, and needs ${fewestDescriptors} or more, ` +
    'one for each device: raise the limit, as with "ulimit -n 65536" in the shell or LimitNOFILE=65536 in a systemd unit'
  )
}

/**
 * Returns how many files and sockets this process may have open at a time; `Infinity` if there is no limit, or if it is not
 * known.
 */
function openFileLimit(): number {
  return limitInProc() ?? limitInReport() ?? Number.POSITIVE_INFINITY
}

/** On Linux, the limits of a process are in a file: proc(5). */
function limitInProc(): number | undefined {
  try {
    return toLimit(/^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1])
  } catch {
    return undefined
  }
}

/** On other systems, Node includes them in its diagnostic report. */
function limitInReport(): number | undefined {
  if (process.platform === 'win32') return undefined
  const diagnostics = process.report as typeof process.report & { excludeNetwork?: boolean | undefined }
  const { excludeNetwork } = diagnostics
  try {
    diagnostics.excludeNetwork = true // Otherwise it would look up the name of each peer.
    const report = diagnostics.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
    return toLimit(report.userLimits?.open_files?.soft)
  } finally {
    diagnostics.excludeNetwork = excludeNetwork
  }
}

function toLimit(value: number | string | undefined): number | undefined {
  if (value === 'unlimited') return Number.POSITIVE_INFINITY
  const limit = Number(value)
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined
}
