import type { Mutant } from '../mutant.ts'
import { addressMutants } from './addresses.ts'
import { attackMutants } from './attacks.ts'
import { clusterMutants } from './cluster.ts'
import { differenceMutants } from './differences.ts'
import { durabilityMutants } from './durability.ts'
import { elsewhereMutants } from './elsewhere.ts'
import { feedMutants } from './feed.ts'
import { formatMutants } from './formats.ts'
import { generationMutants } from './generations.ts'
import { handingOverMutants } from './handing-over.ts'
import { handsMutants } from './hands.ts'
import { importMutants } from './imports.ts'
import { indistinguishableMutants } from './indistinguishable.ts'
import { keepingMutants } from './keeping.ts'
import { loadMutants } from './load.ts'
import { messagePolicyMutants } from './message-policy.ts'
import { newEnemyMutants } from './new-enemy.ts'
import { nodesMutants } from './nodes.ts'
import { presenceMutants } from './presence.ts'
import { rosterMutants } from './roster.ts'
import { safetyMutants } from './safety.ts'
import { smallStoreMutants } from './small-stores.ts'
import { sqliteMutants } from './sqlite.ts'
import { stagedMutants } from './staged.ts'
import { storageMutants } from './storage.ts'
import { storyMutants } from './stories.ts'
import { surfaceMutants } from './surface.ts'
import { tabMutants } from './tabs.ts'
import { timingMutants } from './timing.ts'
import { unwritableMutants } from './unwritable.ts'
import { uplinkMutants } from './uplink.ts'
import { versionMutants } from './versions.ts'
import { visibilityMutants } from './visibility.ts'
import { webhookMutants } from './webhooks.ts'

/** All mutants, by family of rules. */
export const mutants: readonly Mutant[] = [
  ...rosterMutants,
  ...unwritableMutants,
  ...uplinkMutants,
  ...visibilityMutants,
  ...handingOverMutants,
  ...handsMutants,
  ...newEnemyMutants,
  ...elsewhereMutants,
  ...nodesMutants,
  ...clusterMutants,
  ...indistinguishableMutants,
  ...messagePolicyMutants,
  ...presenceMutants,
  ...durabilityMutants,
  ...feedMutants,
  ...differenceMutants,
  ...safetyMutants,
  ...sqliteMutants,
  ...stagedMutants,
  ...formatMutants,
  ...versionMutants,
  ...generationMutants,
  ...smallStoreMutants,
  ...webhookMutants,
  ...storageMutants,
  ...storyMutants,
  ...surfaceMutants,
  ...attackMutants,
  ...tabMutants,
  ...keepingMutants,
  ...addressMutants,
  ...importMutants,
  ...timingMutants,
  ...loadMutants,
]
