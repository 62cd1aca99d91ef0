/** The outbox of events for the app's backend. A batch that writes no events is written in the same way as before. */
export const outboxStep = `
create table event (
  position bigint,
  index int,
  line text collate "C" not null,
  other text collate "C" not null,
  is_dead boolean not null,
  body text not null,
  primary key (position, index)
);
create index event_line on event (line, position, index) where not is_dead;
create index event_about on event (line);
create index event_other on event (other) where other <> '';
create index event_dead on event (position, index) where is_dead;

-- other: empty where there is none.

-- The node that delivers, and until when.
create table delivery (
  one boolean primary key default true check (one),
  holder uuid,
  held_until timestamptz
);
insert into delivery default values;

-- A batch that writes events. It is sent again while its outcome is unknown: events that were delivered meanwhile do not come
-- back.
create function commit_batch(
  _node int, _key uuid, _batch uuid, _run bytea, _known bigint, _count int, _now_ms bigint, _reads bigint[], _writes bigint[], _commits bytea,
  _users text[], _registered bigint[], _user_levels text[], _records text[], _keep_news boolean[],
  _as text[], _bs text[], _relation_changed bigint[], _joined bigint[], _relations bytea[],
  _levels_cleared text[], _owners text[], _levels smallint[], _level_positions bigint[], _fields bytea[],
  _asked_cleared text[], _viewers text[], _asked text[],
  _documents_cleared text[], _names_cleared smallint[],
  _document_users text[], _document_names smallint[], _document_positions bigint[], _updates bytea[],
  _erased text[], _erasures int[], _revoked text[],
  _events_cleared text[],
  _event_positions bigint[], _event_indexes int[], _event_lines text[], _event_others text[], _event_dead boolean[], _event_bodies text[]
) returns table (status text, last bigint) language plpgsql as $$
#variable_conflict use_column
declare
  _head bigint;
  _status text;
  _last bigint;
begin
  perform from head for update;
  select l.last into _last from log l where l.batch = _batch;
  if found then return query select 'written', _last; return; end if;
  select c.status, c.last into _status, _last from commit_batch(
    _node, _key, _batch, _run, _known, _count, _now_ms, _reads, _writes, _commits,
    _users, _registered, _user_levels, _records, _keep_news,
    _as, _bs, _relation_changed, _joined, _relations,
    _levels_cleared, _owners, _levels, _level_positions, _fields,
    _asked_cleared, _viewers, _asked,
    _documents_cleared, _names_cleared,
    _document_users, _document_names, _document_positions, _updates,
    _erased, _erasures, _revoked) c;
  if _status = 'written' then
    _head := _last - _count;
    delete from event e where e.line = any (_events_cleared) or e.other = any (_events_cleared);
    delete from event e using unnest(_event_positions, _event_indexes, _event_bodies) as w (position, index, body)
      where w.body is null and e.position = w.position and e.index = w.index;
    insert into event as e (position, index, line, other, is_dead, body)
      select final(w.position, _head), w.index, w.line, w.other, w.dead, w.body
      from unnest(_event_positions, _event_indexes, _event_lines, _event_others, _event_dead, _event_bodies)
        as w (position, index, line, other, dead, body)
      where w.body is not null
      on conflict (position, index) do update set is_dead = excluded.is_dead, body = excluded.body;
  end if;
  return query select _status, _last;
end
$$;
`
