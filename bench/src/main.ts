import { parseArgs } from 'node:util'
import { changedField } from './changed-field.ts'
import { cluster } from './cluster/index.ts'
import { compare } from './compare.ts'
import { contactFilters } from './contact-filters.ts'
import { imports } from './imports.ts'
import { indistinguishable } from './indistinguishable/index.ts'
import { longLife } from './long-life/index.ts'
import { overload } from './overload.ts'
import { pageLoad } from './page-load.ts'
import { pageScroll } from './page-scroll.ts'
import { plots } from './plots/index.ts'
import { scale } from './scale/index.ts'
import { workloads } from './workloads/index.ts'
import type { Size } from './workloads/size.ts'

const { values, positionals } = parseArgs({
  options: {
    /** By default 5; of `overload` 3, which take an hour and a quarter. */
    rounds: { type: 'string' },
    json: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    users: { type: 'string', default: '1000000' },
    keep: { type: 'string' },
  },
  allowPositionals: true,
})

/** Benchmarks without a comparison. */
const others: Record<string, (size: Size) => Promise<void>> = {
  imports,
  'contact-filters': contactFilters,
  'changed-field': changedField,
  'page-scroll': pageScroll,
  'page-load': pageLoad,
  indistinguishable,
  cluster,
  'ten-years': longLife,
  scale: ({ isQuick, rounds }) =>
    scale({ isQuick, rounds, users: isQuick ? 200 : Number(values.users), keep: values.keep, file: values.json }),
}

const [first, ...rest] = positionals
if (first === 'overload') await overload(rest, Number(values.rounds ?? 3))
else if (first === 'plots') await plots(rest)
else {
  const isQuick = first === 'quick'
  const names = isQuick ? rest : positionals
  const known = [...Object.keys(workloads), ...Object.keys(others)]
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) {
    throw new Error(`No benchmark is called ${unknown}. There are quick, overload, plots, ${known.join(', ')}.`)
  }
  const compared = names.filter(name => name in workloads)
  const size = { isQuick, rounds: isQuick ? 1 : Number(values.rounds ?? 5), hasPeers: !values['no-peers'] }
  if (compared.length > 0 || names.length === 0) await compare({ names: compared, size, file: values.json })
  for (const name of names) await others[name]?.(size)
}
