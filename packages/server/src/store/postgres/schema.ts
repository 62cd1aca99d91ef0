import { confirmedTimeStep, lapsingStep } from './schema-lapsing.ts'
import { nodesStep } from './schema-nodes.ts'
import { outboxStep } from './schema-outbox.ts'

/** One step from a version of the schema to the next. */
export interface SchemaStep {
  sql: string
  /** The lowest version of the schema whose Kith may use the database from then on without losing data. */
  minReader: number
}

const first = `
create table head (
  one boolean primary key default true check (one),
  position bigint not null default 0
) with (fillfactor = 10);
insert into head default values;

-- identity: incarnations.ts; forgotten: up to which position changedSince does not tell.
create table store (
  one boolean primary key default true check (one),
  identity bytea not null,
  cursor_key bytea not null,
  forgotten bigint not null default 0
);

-- at: when a node found that the database had been opened, or the first of all runs.
create table run (
  n int generated always as identity primary key,
  id bytea not null unique,
  key text not null unique,
  start bigint not null,
  at timestamptz not null
);

-- lease_until: by the clock of the database; applied: the position that the node has reported.
create sequence node_id as int;
create table node (
  id int primary key,
  key uuid not null,
  applied bigint not null,
  lease_until timestamptz not null
) with (fillfactor = 50);

create table log (
  last bigint primary key,
  first bigint not null,
  batch uuid not null unique,
  writes bigint[] not null,
  commits bytea not null,
  at timestamptz not null default clock_timestamp()
);

create table day (start_ms bigint primary key, position bigint not null);

create table users (
  id text collate "C" primary key,
  registered_at bigint not null,
  levels bigint[] not null,
  record text not null
) with (fillfactor = 80);

create table relation (
  a text collate "C",
  b text collate "C",
  changed_at bigint not null,
  joined_at bigint not null,
  record bytea not null,
  primary key (a, b)
) with (fillfactor = 90);

create table level (
  owner text collate "C",
  level smallint,
  position bigint not null,
  fields bytea not null,
  primary key (owner, level)
) with (fillfactor = 80);

create table asked (viewer text collate "C", id text collate "C", primary key (viewer, id));

create table document (
  id text collate "C",
  name smallint,
  position bigint,
  update bytea not null,
  primary key (id, name, position)
);
alter table document alter column update set storage external;

-- What outlives an account.
create table account (
  id text collate "C" primary key,
  erasures int not null default 0,
  revoked_at_ms bigint not null default 0,
  revoked_at bigint not null default 0
);

create function final(_position bigint, _head bigint) returns bigint language sql immutable as $$
  select case when _position >= 4503599627370496 then _position - 4503599627370496 + _head else _position end
$$;

-- Names one opening of the database: the cluster, its timeline, and when this server process of it started.
create function run_key() returns text language sql volatile as $$
  select concat_ws(':', (select system_identifier from pg_control_system()),
    left(pg_walfile_name(pg_current_wal_lsn()), 8), extract(epoch from pg_postmaster_start_time())::text)
$$;

-- Rounded up, as all times that are compared with each other are.
create function now_ms() returns bigint language sql volatile as $$
  select ceil(extract(epoch from clock_timestamp()) * 1000)::bigint
$$;

-- A user's record, with the time of another one at which the user was last seen.
create function with_last_seen(_record text, _other text) returns text language sql immutable as $$
  select case when substring(_record from '"lastSeenMinute":[0-9]+') is not distinct from
      substring(_other from '"lastSeenMinute":[0-9]+') then _record
    else (jsonb_strip_nulls(_record::jsonb || jsonb_build_object('lastSeenMinute', _other::jsonb -> 'lastSeenMinute')))::text
  end
$$;

-- Two lists of names are joined by hash, however long they are.
create function has_conflict(_known bigint, _reads bigint[]) returns boolean language sql stable
set enable_nestloop = off as $$
  select exists (
    select from unnest(_reads) as r (name)
    join (select unnest(writes) as name from log where last > _known) as w on w.name = r.name
  )
$$;

-- One batch, as one transaction. The lock on the head is held until the batch is durable, so positions, durability and
-- visibility have one order. Each statement sees what was committed before the lock was taken.
create function commit_batch(
  _node int, _key uuid, _batch uuid, _run bytea, _known bigint, _count int, _now_ms bigint, _reads bigint[], _writes bigint[], _commits bytea,
  _users text[], _registered bigint[], _user_levels text[], _records text[], _keep_news boolean[],
  _as text[], _bs text[], _relation_changed bigint[], _joined bigint[], _relations bytea[],
  _levels_cleared text[], _owners text[], _levels smallint[], _level_positions bigint[], _fields bytea[],
  _asked_cleared text[], _viewers text[], _asked text[],
  _documents_cleared text[], _names_cleared smallint[],
  _document_users text[], _document_names smallint[], _document_positions bigint[], _updates bytea[],
  _erased text[], _erasures int[], _revoked text[]
) returns table (status text, last bigint) language plpgsql as $$
#variable_conflict use_column
declare
  _head bigint;
  _last bigint;
  _day_ms bigint := _now_ms - _now_ms % 86400000;
  _clock_ms bigint;
begin
  select position into strict _head from head for update;
  select l.last into _last from log l where l.batch = _batch;
  if found then return query select 'written', _last; return; end if;
  -- Behind a pooler a connection may lead to another opening of the database than before.
  if not exists (select from run r where r.id = _run and r.key = run_key()) then
    return query select 'other-run', _head; return;
  end if;
  if not exists (select from node n where n.id = _node and n.key = _key and n.lease_until > clock_timestamp()) then
    return query select 'fenced', _head; return;
  end if;
  if _head < _known then return query select 'history-lost', _head; return; end if;
  -- What was derived from nothing is true of any state.
  if _head > _known and cardinality(_reads) > 0 then
    if not exists (select from log l where l.first <= _known + 1 and l.last > _known) then
      return query select 'too-old', _head; return;
    end if;
    if has_conflict(_known, _reads) then return query select 'conflict', _head; return; end if;
  end if;
  _last := _head + _count;

  delete from users u using unnest(_users, _records) as w (id, record) where w.record is null and u.id = w.id;
  -- What other nodes have written meanwhile of users whom a large change concerns, see relations/user-news.ts.
  update users u set registered_at = final(w.registered, _head), record = with_last_seen(w.record, u.record)
    from unnest(_users, _registered, _records, _keep_news) as w (id, registered, record, keeps)
    where w.keeps and u.id = w.id;
  insert into users as u (id, registered_at, levels, record)
    select w.id, final(w.registered, _head),
      array(select final(x, _head) from unnest(w.levels::bigint[]) with ordinality as l (x, n) order by n), w.record
    from unnest(_users, _registered, _user_levels, _records, _keep_news)
      as w (id, registered, levels, record, keeps)
    where w.record is not null and not (w.keeps and exists (select from users o where o.id = w.id))
    on conflict (id) do update set registered_at = excluded.registered_at,
      levels = excluded.levels, record = excluded.record;

  delete from relation r using unnest(_as, _bs, _relations) as w (a, b, record)
    where w.record is null and r.a = w.a and r.b = w.b;
  insert into relation as r (a, b, changed_at, joined_at, record)
    select w.a, w.b, final(w.changed, _head), final(w.joined, _head), w.record
    from unnest(_as, _bs, _relation_changed, _joined, _relations) as w (a, b, changed, joined, record)
    where w.record is not null
    on conflict (a, b) do update set changed_at = excluded.changed_at, joined_at = excluded.joined_at,
      record = excluded.record;

  delete from level l where l.owner = any (_levels_cleared);
  insert into level as l (owner, level, position, fields)
    select w.owner, w.level, final(w.position, _head), w.fields
    from unnest(_owners, _levels, _level_positions, _fields) as w (owner, level, position, fields)
    on conflict (owner, level) do update set position = excluded.position, fields = excluded.fields;

  delete from asked a where a.viewer = any (_asked_cleared);
  insert into asked (viewer, id) select * from unnest(_viewers, _asked) on conflict do nothing;

  delete from document d using unnest(_documents_cleared, _names_cleared) as w (id, name)
    where d.id = w.id and d.name = w.name;
  insert into document (id, name, position, update)
    select w.id, w.name, final(w.position, _head), w.update
    from unnest(_document_users, _document_names, _document_positions, _updates) as w (id, name, position, update);

  insert into account as a (id, erasures) select * from unnest(_erased, _erasures)
    on conflict (id) do update set erasures = excluded.erasures;
  -- By one clock for all nodes, and by the rule of relations/revocation.ts.
  _clock_ms := now_ms();
  insert into account as a (id, revoked_at_ms, revoked_at) select id, _clock_ms, _last from unnest(_revoked) as w (id)
    on conflict (id) do update set revoked_at = excluded.revoked_at, revoked_at_ms =
      case when a.revoked_at_ms > _clock_ms + 86400000 then _clock_ms else greatest(_clock_ms, a.revoked_at_ms + 1) end;

  -- At the first batch of a day: where the day began, and what is too old to be told.
  if not exists (select from day d where d.start_ms = _day_ms) then
    insert into day (start_ms, position) values (_day_ms, _head);
    update store set forgotten = greatest(forgotten, oldest_cursor(_now_ms));
  end if;

  insert into log (last, first, batch, writes, commits) values (_last, _head + 1, _batch, _writes, _commits);
  update head set position = _last;
  return query select 'written', _last;
end
$$;

-- Cursors before this position are too old to be served: it is where a day began that is over for 90 days.
create function oldest_cursor(_now_ms bigint) returns bigint language sql stable as $$
  select coalesce(max(position), 0) from day where start_ms <= _now_ms - 90 * 86400000::bigint
$$;

-- The run of the database as it is open now: the same for all who name it with the same key.
create function begin_run(_id bytea, _key text) returns void language plpgsql as $$
begin
  perform from head for update;
  insert into run (id, key, start, at)
    select _id, _key, position, case when exists (select from run) then clock_timestamp() else '-infinity' end from head
    on conflict (key) do nothing;
end
$$;
`

const copyAndFold = `
-- Puts one update in place of those that make a document, unless others were written in place of them meanwhile. Nothing is
-- lost with a fold that a crash takes back, so nobody waits for it.
create function fold_document(_id text, _name smallint, _count int, _last bigint, _update bytea) returns boolean
language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  perform from head for update;
  if _count <> (select count(*) from document where id = _id and name = _name and position <= _last)
    or not exists (select from document where id = _id and name = _name and position = _last)
  then return false; end if;
  delete from document where id = _id and name = _name and position < _last;
  update document set update = _update where id = _id and name = _name and position = _last;
  return true;
end
$$;

-- A copy from a data folder that is not finished: no node may start. done: the last key of the folder that was copied.
create table copying (
  one boolean primary key default true check (one),
  identity bytea not null,
  position bigint not null,
  done bytea not null
);
`

/** A node of an earlier version does not know generations of documents, and would restore what was removed. */
const generationsStep = `
comment on table document is 'Updates of Yjs, of any generation of a document.'
`

/**
 * The tables and functions, one step for each version of the schema. A released step is never changed; another one is added.
 */
export const schemaSteps: readonly SchemaStep[] = [
  { sql: first, minReader: 1 },
  { sql: copyAndFold, minReader: 2 },
  { sql: nodesStep, minReader: 3 },
  // An earlier version would leave an erased account in the outbox.
  { sql: outboxStep, minReader: 4 },
  { sql: lapsingStep, minReader: 4 },
  { sql: generationsStep, minReader: 6 },
  { sql: confirmedTimeStep, minReader: 6 },
]
