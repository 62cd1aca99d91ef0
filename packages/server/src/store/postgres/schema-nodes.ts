/**
 * Short-lived data that nodes keep for each other. All of it is unlogged: it costs no WAL and waits for no standby. After a
 * crash of the database it is empty, and the nodes write it again.
 */
export const nodesStep = `
-- Messages that are too long for NOTIFY.
create unlogged table bus_payload (
  id uuid primary key,
  body bytea not null,
  at timestamptz not null default clock_timestamp()
);
alter table bus_payload alter column body set storage external;

-- Nodes that keep stays. A node is there until it leaves, or until another node finds it late and removes it.
create unlogged table attending (node uuid primary key, late_at timestamptz not null);

-- The users of each node: how many connections they have there, whether they count as online, and whether the last device
-- has left, so that it is being noted when they were last seen.
create unlogged table stay (
  user_id text collate "C",
  node uuid,
  sessions int not null,
  is_online boolean not null,
  is_leaving boolean not null default false,
  primary key (user_id, node)
) with (fillfactor = 70);
create index stay_node on stay (node);
`
