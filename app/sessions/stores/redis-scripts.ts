/**
 * The operations of the Redis store in Lua. Redis runs each script atomically, so that no write is
 * based on a stale read.
 *
 * KEYS[1] is the prefix, from which a script makes the other keys:
 *   session:<id>   hash: the row. Redis deletes it at the end of its retention.
 *   open:<user>    zset of ids by lastSeenAt: rows that are not revoked, live or expired
 *   ends:<user>    zset of the same ids by expiresAt
 *   ended:<user>   zset of ids by revokedAt: tombstones
 *   ids            zset of every id, all with score 0: for pages in the order of the ids
 *   endings        zset of every id by the time when it ended or will end: for pruning
 * The zsets of a user expire with the last row in them. If Redis has deleted a row, any script that
 * finds its id in a zset removes the id, as does the next sign-in of its user.
 */
const PRELUDE = `
local prefix = KEYS[1]
local function rowKey(id) return prefix .. 'session:' .. id end
local function openKey(user) return prefix .. 'open:' .. user end
local function endsKey(user) return prefix .. 'ends:' .. user end
local function endedKey(user) return prefix .. 'ended:' .. user end
local idsKey, endingsKey = prefix .. 'ids', prefix .. 'endings'

-- For the feeds; see leases/leased-redis.ts. A Redis user without the right to publish can still end
-- sessions; the round that follows then fails.
local function tell(kind, id, user)
  redis.pcall('PUBLISH', prefix .. 'news', kind .. ' ' .. id .. ' ' .. user)
end

-- Only lengthens the time to live: a zset lives as long as the last row in it.
local function keepFor(key, ttl)
  if redis.call('PTTL', key) < tonumber(ttl) then redis.call('PEXPIRE', key, ttl) end
end

local function forget(id, user)
  redis.call('ZREM', idsKey, id)
  redis.call('ZREM', endingsKey, id)
  if user then
    redis.call('ZREM', openKey(user), id)
    redis.call('ZREM', endsKey(user), id)
    redis.call('ZREM', endedKey(user), id)
  end
end

local function isGone(id) return redis.call('EXISTS', rowKey(id)) == 0 end

-- Removes ids whose rows Redis has deleted. These can only be ids that ended before the given time.
local function sweep(user, before)
  for _, key in ipairs({ endsKey(user), endedKey(user) }) do
    local old = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. before, 'LIMIT', 0, 100)
    for _, id in ipairs(old) do
      if isGone(id) then forget(id, user) end
    end
  end
end

-- Returns true if the row was live; false if it had expired (then closed at its expiry); nil otherwise.
local function close(id, at, reason, by, retention)
  local row = rowKey(id)
  local user, revokedAt, expiresAt = unpack(redis.call('HMGET', row, 'userId', 'revokedAt', 'expiresAt'))
  if not user or revokedAt then return nil end
  local wasLive = tonumber(expiresAt) > tonumber(at)
  local ttl = tonumber(retention)
  if not wasLive then
    ttl = math.max(1, ttl - (tonumber(at) - tonumber(expiresAt)))
    at, reason, by = expiresAt, 'expired', ''
  end
  redis.call('HSET', row, 'revokedAt', at, 'revokedReason', reason)
  if by ~= '' then redis.call('HSET', row, 'revokedBy', by) end
  redis.call('PEXPIRE', row, string.format('%.0f', ttl))
  redis.call('ZREM', openKey(user), id)
  redis.call('ZREM', endsKey(user), id)
  redis.call('ZADD', endedKey(user), at, id)
  keepFor(endedKey(user), string.format('%.0f', ttl))
  redis.call('ZADD', endingsKey, at, id)
  tell('ended', id, user)
  return wasLive
end
`;

/**
 * ARGV: id, user, lastSeenAt, expiresAt, revokedAt or '', ttl, sweep before, then field, value, ….
 * Returns 0 if the id exists already.
 */
const save = `
local id, user, lastSeenAt, expiresAt, revokedAt, ttl, before = unpack(ARGV, 1, 7)
if not isGone(id) then return 0 end
redis.call('HSET', rowKey(id), unpack(ARGV, 8))
redis.call('PEXPIRE', rowKey(id), ttl)
redis.call('ZADD', idsKey, 0, id)
if revokedAt == '' then
  redis.call('ZADD', openKey(user), lastSeenAt, id)
  redis.call('ZADD', endsKey(user), expiresAt, id)
  keepFor(openKey(user), ttl)
  keepFor(endsKey(user), ttl)
  redis.call('ZADD', endingsKey, expiresAt, id)
else
  redis.call('ZADD', endedKey(user), revokedAt, id)
  keepFor(endedKey(user), ttl)
  redis.call('ZADD', endingsKey, revokedAt, id)
end
sweep(user, before)
tell('started', id, user)
return 1
`;

/** Shared by touch and renew: sets new times in the row and in every zset that is sorted by them. */
const MOVE = `
local function move(id, user, lastSeenAt, expiresAt, ttl)
  redis.call('HSET', rowKey(id), 'lastSeenAt', lastSeenAt, 'expiresAt', expiresAt)
  redis.call('PEXPIRE', rowKey(id), ttl)
  redis.call('ZADD', openKey(user), lastSeenAt, id)
  redis.call('ZADD', endsKey(user), expiresAt, id)
  keepFor(openKey(user), ttl)
  keepFor(endsKey(user), ttl)
  redis.call('ZADD', endingsKey, expiresAt, id)
end
`;

/** ARGV: id, expiresAt, lastSeenAt, ttl. Returns 1 if it changed the row. */
const touch = `${MOVE}
local id, newExpiresAt, newLastSeenAt, ttl = unpack(ARGV)
local user, revokedAt, expiresAt, lastSeenAt =
  unpack(redis.call('HMGET', rowKey(id), 'userId', 'revokedAt', 'expiresAt', 'lastSeenAt'))
if not user or revokedAt then return 0 end
local now = tonumber(newLastSeenAt)
if tonumber(expiresAt) <= now or tonumber(lastSeenAt) >= now then return 0 end
move(id, user, newLastSeenAt, newExpiresAt, ttl)
return 1
`;

/**
 * ARGV: id, previous hash, new hash, reauthenticatedAt, lastSeenAt, expiresAt, ttl. Returns 1 if it
 * changed the row.
 */
const renew = `${MOVE}
local id, previousHash, secretHash, reauthenticatedAt, newLastSeenAt, newExpiresAt, ttl = unpack(ARGV)
local user, revokedAt, expiresAt, hash =
  unpack(redis.call('HMGET', rowKey(id), 'userId', 'revokedAt', 'expiresAt', 'secretHash'))
if not user or revokedAt or hash ~= previousHash then return 0 end
if tonumber(expiresAt) <= tonumber(reauthenticatedAt) then return 0 end
redis.call('HSET', rowKey(id), 'secretHash', secretHash, 'reauthenticatedAt', reauthenticatedAt)
move(id, user, newLastSeenAt, newExpiresAt, ttl)
tell('changed', id, user)
return 1
`;

/** ARGV: id. */
const remove = `
local user = redis.call('HGET', rowKey(ARGV[1]), 'userId')
redis.call('DEL', rowKey(ARGV[1]))
forget(ARGV[1], user)
if user then tell('ended', ARGV[1], user) end
return 1
`;

/**
 * ARGV: id, at, reason, by or '', retention, sweep before, and optionally the user that it must belong
 * to. Returns 1 if it was live.
 */
const revoke = `
local id, at, reason, by, retention, before, ofUser = unpack(ARGV)
local user = redis.call('HGET', rowKey(id), 'userId')
if not user or (ofUser and ofUser ~= user) then return 0 end
local wasLive = close(id, at, reason, by, retention)
sweep(user, before)
return wasLive and 1 or 0
`;

/** ARGV: id, user, label. Removes the name if the label is absent. Returns 1 if there was such a row. */
const name = `
local id, user, label = unpack(ARGV)
if redis.call('HGET', rowKey(id), 'userId') ~= user then return 0 end
if label then redis.call('HSET', rowKey(id), 'label', label) else redis.call('HDEL', rowKey(id), 'label') end
tell('changed', id, user)
return 1
`;

/** ARGV: user, excepted id or '', at, reason, by or '', retention. Returns the ids that were live. */
const revokeAll = `
local user, except, at, reason, by, retention = unpack(ARGV)
local ended = {}
for _, id in ipairs(redis.call('ZRANGE', openKey(user), 0, -1)) do
  if isGone(id) then
    forget(id, user)
  elseif id ~= except and close(id, at, reason, by, retention) then
    ended[#ended + 1] = id
  end
end
return ended
`;

/** ARGV: user, keep, excepted id, at, reason, by or '', retention. Returns the ids that it ended. */
const trim = `
local user, keep, except, at, reason, by, retention = unpack(ARGV)
if redis.call('ZCOUNT', endsKey(user), '(' .. at, '+inf') <= tonumber(keep) then return {} end
local function isLive(id)
  local revokedAt, expiresAt = unpack(redis.call('HMGET', rowKey(id), 'revokedAt', 'expiresAt'))
  return expiresAt and not revokedAt and tonumber(expiresAt) > tonumber(at)
end
if not isLive(except) then return {} end
local kept, ended = 1, {}
for _, id in ipairs(redis.call('ZREVRANGE', openKey(user), 0, -1)) do
  if isGone(id) then
    forget(id, user)
  elseif id ~= except and isLive(id) then
    if kept < tonumber(keep) then
      kept = kept + 1
    else
      close(id, at, reason, by, retention)
      ended[#ended + 1] = id
    end
  end
end
return ended
`;

/**
 * ARGV: user, now, limit, after lastSeenAt or '', after id, ended limit, then the fields to return.
 * Returns rows, each as its id and fields: live ones, then up to twice the ended limit of ended ones.
 */
const page = `
local user, now, limit, afterSeen, afterId, endedLimit = unpack(ARGV, 1, 6)
limit, endedLimit = tonumber(limit), tonumber(endedLimit)
local fields = { unpack(ARGV, 7) }
local rows, gone = {}, {}

local function add(id, isWanted)
  local row = redis.call('HMGET', rowKey(id), 'revokedAt', 'expiresAt', unpack(fields))
  if not row[2] then
    gone[#gone + 1] = id
  elseif isWanted(row[1], tonumber(row[2])) then
    row[1] = id
    table.remove(row, 2)
    rows[#rows + 1] = row
  end
end

-- Reads a zset from its highest score down until it has found enough rows.
local function collect(key, max, most, isWanted)
  local target, from = #rows + most, 0
  while #rows < target do
    local part = redis.call('ZREVRANGEBYSCORE', key, max, '-inf', 'WITHSCORES', 'LIMIT', from, 100)
    if #part == 0 then return end
    for i = 1, #part, 2 do
      local isBehind = part[i + 1] == afterSeen and part[i] >= afterId
      if #rows < target and not (key == openKey(user) and isBehind) then add(part[i], isWanted) end
    end
    from = from + 100
  end
end

local live = tonumber(now)
if afterSeen == '' then
  -- The zset also contains expired sessions. Without this limit, collect would read all of them.
  limit = math.min(limit, redis.call('ZCOUNT', endsKey(user), '(' .. now, '+inf'))
end
collect(openKey(user), afterSeen == '' and '+inf' or afterSeen, limit,
  function(revokedAt, expiresAt) return not revokedAt and expiresAt > live end)
if endedLimit > 0 then
  collect(endedKey(user), '+inf', endedLimit, function(revokedAt) return revokedAt end)
  collect(endsKey(user), now, endedLimit,
    function(revokedAt, expiresAt) return not revokedAt and expiresAt <= live end)
end
for _, id in ipairs(gone) do forget(id, user) end
return rows
`;

/** ARGV: after or '', limit, then the fields to return. Returns rows in the order of their ids. */
const pageOfAll = `
local after, limit = ARGV[1], tonumber(ARGV[2])
local fields = { unpack(ARGV, 3) }
local rows = {}
while #rows < limit do
  local ids = redis.call('ZRANGEBYLEX', idsKey, after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit - #rows)
  if #ids == 0 then break end
  for _, id in ipairs(ids) do
    local row = redis.call('HMGET', rowKey(id), 'userId', unpack(fields))
    if row[1] then
      row[1] = id
      rows[#rows + 1] = row
    else
      forget(id, nil)
    end
  end
  after = ids[#ids]
end
return rows
`;

/** ARGV: ended before, limit. Returns the number of ids that it read, and of rows that it deleted. */
const prune = `
local removed = 0
local old = redis.call('ZRANGEBYSCORE', endingsKey, '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(old) do
  local user = redis.call('HGET', rowKey(id), 'userId')
  if user then removed = removed + redis.call('DEL', rowKey(id)) end
  forget(id, user)
end
return { #old, removed }
`;

/** Every script with its prelude. */
export const redisScripts = {
  save: PRELUDE + save,
  touch: PRELUDE + touch,
  renew: PRELUDE + renew,
  remove: PRELUDE + remove,
  revoke: PRELUDE + revoke,
  name: PRELUDE + name,
  revokeAll: PRELUDE + revokeAll,
  trim: PRELUDE + trim,
  page: PRELUDE + page,
  pageOfAll: PRELUDE + pageOfAll,
  prune: PRELUDE + prune,
};
