/**
 * Removes records that no device needs. `lapsed`: the position up to which ended relations were removed; earlier cursors are no
 * longer accepted. `lapsing`: the position up to which they may be removed on the next day. So a clock that is far ahead for a
 * while makes no cursor too old. `day`: when a look-up was charged, by the clock of the database.
 */
export const lapsingStep = `
alter table asked add column day int not null default floor(extract(epoch from now()) / 86400);
alter table store
  add column lapsed bigint not null default 0,
  add column lapsing bigint not null default 0,
  add column lapsing_day bigint;

create or replace function oldest_cursor(_now_ms bigint) returns bigint language sql stable as $$
  select greatest(
    (select lapsed from store),
    (select coalesce(max(position), 0) from day where start_ms <= _now_ms - 90 * 86400000::bigint))
$$;

-- Once a day, for the one node that finds that it is another day. A node whose clock is a day behind finds nothing.
create function begin_lapsing(_now_ms bigint) returns setof bigint language sql volatile as $$
  update store set
    lapsed = greatest(lapsed, least(lapsing, oldest_cursor(_now_ms))),
    lapsing = oldest_cursor(_now_ms),
    lapsing_day = _now_ms / 86400000
  where lapsing_day is null or _now_ms / 86400000 not between lapsing_day - 1 and lapsing_day returning lapsed
$$;
`

/**
 * A time is confirmed when, a day later by the clock, the clock has not been put back behind it. `observed_ms`: when the clock
 * was last observed. So a clock that is wrong for less than a day makes nothing lapse. The oldest cursor: a day that a wrong
 * clock recorded has a position after that of a later day, and does not count.
 */
export const confirmedTimeStep = `
alter table store
  add column observed_ms bigint not null default 0,
  add column confirmed_ms bigint not null default 0;

create or replace function oldest_cursor(_now_ms bigint) returns bigint language sql stable as $$
  select greatest(
    (select lapsed from store),
    (select coalesce(min(position), 0) from day where start_ms <= _now_ms and start_ms >= (
      select max(start_ms) from day where start_ms <= _now_ms - 90 * 86400000::bigint)))
$$;

-- A node whose clock is less than a day behind the last observation finds nothing.
create or replace function begin_lapsing(_now_ms bigint) returns setof bigint language sql volatile as $$
  update store set
    lapsed = case when _now_ms > observed_ms then greatest(lapsed, least(lapsing, oldest_cursor(_now_ms))) else lapsed end,
    confirmed_ms = case when _now_ms > observed_ms then observed_ms else confirmed_ms end,
    lapsing = oldest_cursor(_now_ms),
    lapsing_day = _now_ms / 86400000,
    observed_ms = _now_ms
  where _now_ms <= observed_ms - 86400000 or _now_ms >= observed_ms + 86400000 returning lapsed
$$;
`
