import { DatabaseError } from './database-error.ts'

interface Client {
  query(text: string): Promise<{ rows: Record<string, string>[] }>
}

const settings = `select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
  current_setting('synchronous_commit') as synchronous_commit,
  current_setting('synchronous_standby_names') as standbys`

export const noStandby: string =
  'no standby confirms what the database writes, so a failover may lose what was answered: set synchronous_standby_names'

/**
 * Returns whether a standby confirms the database's writes. Rejects with {@link DatabaseError} if the database may lose what it
 * confirms.
 */
export async function durabilityOf(client: Client): Promise<{ isConfirming: boolean }> {
  const { rows } = await client.query(settings)
  const found = rows[0] as Record<string, string>
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    if (found[setting] === 'off') {
      throw new DatabaseError(`the database has ${setting} = off: what it confirms may be lost`)
    }
  }
  return { isConfirming: found['standbys'] !== '' && found['synchronous_commit'] !== 'local' }
}
