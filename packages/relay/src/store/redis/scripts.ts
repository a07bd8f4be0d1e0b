/**
 * What has to happen as one step in Redis. A script sees a room alone: Redis runs one at a time.
 *
 * Keys of a room: `<room>` hash (epoch, terms, floor, bytes, emptySince, run; per seat `s:` secret, `h:` holder, `a:` away since,
 * `r:` received), `<room>:log` stream of items with ids `0-<sequence>`, `<room>:ids` sorted set of identities by place,
 * `<room>:ch` channel. `due` is a sorted set of all rooms by the time at which they have to be looked at: never later than the retention
 * time after the last look, so that nothing that happens meanwhile has to bring it forward.
 *
 * A holder is `<node>.<connection>`. `nodes` is a hash of the relays with what each wrote as its last heartbeat; `held:<node>` is a set of
 * the rooms in which it has a seat, so that a relay that died is looked for once, not in every room. A relay whose rooms were not all
 * seen to stays in `nodes`.
 *
 * `run` is the process of Redis that gave the room's latest places. A Redis that does not wait for the disk may come back without the last
 * of them; others would get those places a second time, in an epoch that promises one order. So the first who touches the room in
 * another process of Redis gives it a new epoch, before any place is given.
 *
 * Messages on the channel: `f` items that were placed, `t` transient items, `s` seats changed, `n` new epoch, `e` end, reason.
 */

export const NODES = 'qsec2:nodes';
/** A key for each relay, which expires: all that relays from before the hash write. */
export const OLD_NODE = 'qsec2:node:';
const HELD = 'qsec2:held:';
export const ROOM = 'qsec2:room:';

const RUN = `
local function run() return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') end`;

/** KEYS room due · ARGV name epoch token endToken capacity now due maxRooms */
const create = `${RUN}
local kept = redis.call('HMGET', KEYS[1], 'epoch', 'token', 'endToken', 'capacity')
if kept[1] then
  if kept[2] == ARGV[3] and kept[3] == ARGV[4] and kept[4] == ARGV[5] then return kept[1] end
  return 'conflict'
end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[8]) then return 'full' end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'token', ARGV[3], 'endToken', ARGV[4], 'capacity', ARGV[5],
  'floor', 0, 'bytes', 0, 'emptySince', ARGV[6], 'run', run())
redis.call('ZADD', KEYS[2], ARGV[7], ARGV[1])
return ARGV[2]`;

/** The last place given. Redis keeps it when every entry was trimmed. */
const HEAD = `
local function head()
  if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return tonumber(string.match(info[i + 1], '-(%d+)$')) end
  end
end
local function name() return string.sub(KEYS[1], ${ROOM.length + 1}) end
local function say(message) redis.call('PUBLISH', KEYS[1] .. ':ch', message) end
local function seats()
  local found = {}
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 's:' then found[#found + 1] = string.sub(all[i], 3) end
  end
  return found
end
local function nodeOf(holder) return string.match(holder, '^([^.]*)') end
local function letGo(holder)
  if not holder or holder == '' then return end
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'h:' and nodeOf(all[i + 1]) == nodeOf(holder) then return end
  end
  redis.call('SREM', '${HELD}' .. nodeOf(holder), name())
end`;

/** KEYS room log · ARGV seat secret holder sinceEpoch sinceSeq newEpoch forgetful → status, epoch, head, floor, resumed */
const takeSeat = `${RUN}${HEAD}
local room = redis.call('HMGET', KEYS[1], 'epoch', 'capacity', 'floor', 's:' .. ARGV[1], 'run')
if not room[1] then return {'no room'} end
if room[4] and room[4] ~= ARGV[2] then return {'taken'} end
if not room[4] and #seats() >= tonumber(room[2]) then return {'room full'} end
local last = head()
local epoch = room[1]
local back = ARGV[4] == epoch and tonumber(ARGV[5]) > last
if back or (ARGV[7] == '1' and room[5] ~= run()) then
  epoch = ARGV[6]
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', run())
  say('n')
end
if not room[4] then redis.call('HSET', KEYS[1], 's:' .. ARGV[1], ARGV[2], 'r:' .. ARGV[1], last) end
local before = redis.call('HGET', KEYS[1], 'h:' .. ARGV[1])
redis.call('HSET', KEYS[1], 'h:' .. ARGV[1], ARGV[3], 'a:' .. ARGV[1], 0)
redis.call('SADD', '${HELD}' .. nodeOf(ARGV[3]), name())
-- Until its next heartbeat, where others had taken it for dead.
redis.call('HSETNX', '${NODES}', nodeOf(ARGV[3]), 0)
if before and nodeOf(before) ~= nodeOf(ARGV[3]) then letGo(before) end
say('s')
return {'ok', epoch, last, tonumber(room[3]), room[4] and 1 or 0}`;

/** KEYS room log · ARGV seat holder now */
const releaseSeat = `${HEAD}
if redis.call('HGET', KEYS[1], 'h:' .. ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'h:' .. ARGV[1], '', 'a:' .. ARGV[1], ARGV[3])
letGo(ARGV[2])
say('s')
return 1`;

/** KEYS room log · ARGV seat now */
const leaveSeat = `${HEAD}
local before = redis.call('HGET', KEYS[1], 'h:' .. ARGV[1])
if redis.call('HDEL', KEYS[1], 's:' .. ARGV[1], 'h:' .. ARGV[1], 'a:' .. ARGV[1], 'r:' .. ARGV[1]) == 0 then return 0 end
letGo(before)
if #seats() == 0 then redis.call('HSET', KEYS[1], 'emptySince', ARGV[2]) end
say('s')
return 1`;

/**
 * KEYS room log ids · ARGV roomBytes roomFrames newEpoch, then sender, identity, item of each frame → places; or an error when the room
 * has a new epoch: what members know of its places does not hold. A log that is not forgetful is given no new epoch.
 */
const append = `${RUN}${HEAD}
local places, items = {}, {}
local room = redis.call('HMGET', KEYS[1], 'epoch', 'bytes', 'floor', 'run')
if room[1] and ARGV[3] ~= '' and room[4] ~= run() then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'run', run())
  say('n')
  return redis.error_reply('RENEWED this Redis may have forgotten places it gave')
end
local bytes, floor, seq = tonumber(room[2]), tonumber(room[3]), head()
local member = {}
for i = 4, #ARGV, 3 do
  local sender = ARGV[i]
  if member[sender] == nil then member[sender] = redis.call('HEXISTS', KEYS[1], 's:' .. sender) == 1 end
  if not room[1] or not member[sender] then
    places[#places + 1] = -1
  else
    local known = redis.call('ZSCORE', KEYS[3], ARGV[i + 1])
    if known then
      places[#places + 1] = tonumber(known)
    else
      -- The place stands inside the item as well: it is known before the entry is added, for nothing else runs meanwhile.
      seq = seq + 1
      local item = string.sub(ARGV[i + 2], 1, 1) .. struct.pack('>I6', seq) .. string.sub(ARGV[i + 2], 8)
      redis.call('XADD', KEYS[2], '0-*', 'i', item)
      redis.call('ZADD', KEYS[3], seq, ARGV[i + 1])
      bytes = bytes + #item
      places[#places + 1] = seq
      items[#items + 1] = item
    end
  end
end
if #items > 0 then
  while bytes > tonumber(ARGV[1]) or seq - floor > tonumber(ARGV[2]) do
    local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
    if not oldest then break end
    bytes = bytes - #oldest[2][2]
    floor = tonumber(string.match(oldest[1], '-(%d+)$'))
    redis.call('XDEL', KEYS[2], oldest[1])
  end
  redis.call('HSET', KEYS[1], 'bytes', bytes, 'floor', floor)
  say('f' .. table.concat(items))
end
return places`;

/** KEYS room log ids due · ARGV name reason → 1 when there was a room */
const end = `${HEAD}
redis.call('ZREM', KEYS[4], ARGV[1])
local all = redis.call('HGETALL', KEYS[1])
if redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) == 0 then return 0 end
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 'h:' then letGo(all[i + 1]) end
end
say('e' .. ARGV[2])
return 1`;

/**
 * KEYS due · ARGV now until count → rooms that are due, which are not due again before `until`: by then the relay that took them has said
 * when they are, or is dead
 */
const takeDue = `
local rooms = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, room in ipairs(rooms) do redis.call('ZADD', KEYS[1], ARGV[2], room) end
return rooms`;

/**
 * KEYS room log ids due · ARGV name now retention known-beyond-floor, then seat and place of each receipt
 * → 'expired', or the head of the log and the seats given up
 */
const sweep = `${HEAD}
local now, retention = tonumber(ARGV[2]), tonumber(ARGV[3])
local room, seats = {}, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  room[all[i]] = all[i + 1]
  if string.sub(all[i], 1, 2) == 's:' then seats[#seats + 1] = string.sub(all[i], 3) end
end
if not room.epoch then
  redis.call('ZREM', KEYS[4], ARGV[1])
  return {'0'}
end
for i = 5, #ARGV, 2 do
  local field = 'r:' .. ARGV[i]
  if room[field] and tonumber(ARGV[i + 1]) > tonumber(room[field]) then
    redis.call('HSET', KEYS[1], field, ARGV[i + 1])
    room[field] = ARGV[i + 1]
  end
end
local last = head()
local gone, changed, received, left, due = {}, false, last, 0, now + retention
for _, seat in ipairs(seats) do
  local holder, away = room['h:' .. seat], tonumber(room['a:' .. seat])
  -- Of a relay that nobody knows, and that nobody will find dead.
  if holder ~= '' and redis.call('HEXISTS', '${NODES}', nodeOf(holder)) == 0
    and redis.call('EXISTS', '${OLD_NODE}' .. nodeOf(holder)) == 0 then
    redis.call('HSET', KEYS[1], 'h:' .. seat, '', 'a:' .. seat, now)
    holder, away, changed = '', now, true
  end
  if holder == '' and away + retention <= now then
    redis.call('HDEL', KEYS[1], 's:' .. seat, 'h:' .. seat, 'a:' .. seat, 'r:' .. seat)
    gone[#gone + 1] = seat
    changed = true
  else
    left = left + 1
    if holder == '' then due = math.min(due, away + retention) end
    received = math.min(received, tonumber(room['r:' .. seat]))
  end
end
local emptySince = tonumber(room.emptySince)
if left == 0 and #gone > 0 then
  emptySince = now
  redis.call('HSET', KEYS[1], 'emptySince', now)
end
if changed then say('s') end
if left == 0 then
  if emptySince + retention <= now then
    redis.call('ZREM', KEYS[4], ARGV[1])
    redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
    say('eexpired')
    return {'expired'}
  end
  due = math.min(due, emptySince + retention)
end
local bytes, floor = tonumber(room.bytes), tonumber(room.floor)
local trimmed = false
while true do
  local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  local seq = tonumber(string.match(oldest[1], '-(%d+)$'))
  local item = oldest[2][2]
  -- Milliseconds since 1970 at which a relay took the frame: eighth to thirteenth byte of the item.
  local expires = struct.unpack('>I6', item, 8) + retention
  if seq > received and expires > now then
    due = math.min(due, expires)
    break
  end
  redis.call('XDEL', KEYS[2], oldest[1])
  bytes, floor, trimmed = bytes - #item, seq, true
end
if trimmed then
  redis.call('HSET', KEYS[1], 'bytes', bytes, 'floor', floor)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', math.min(floor, last - tonumber(ARGV[4])))
end
redis.call('ZADD', KEYS[4], due, ARGV[1])
table.insert(gone, 1, string.format('%.0f', last))
return gone`;

/**
 * KEYS nodes · ARGV node beat now count → how many of its rooms were seen to, and how many are left
 *
 * The seats of a relay that died are away from now on. Nothing happens when it has said since that it is alive.
 */
const bury = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {0, 0} end
local held = '${HELD}' .. ARGV[1]
local rooms = redis.call('SRANDMEMBER', held, ARGV[4])
for _, name in ipairs(rooms) do
  local key = '${ROOM}' .. name
  local all, changed = redis.call('HGETALL', key), false
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'h:' and string.match(all[i + 1], '^([^.]*)') == ARGV[1] then
      redis.call('HSET', key, all[i], '', 'a:' .. string.sub(all[i], 3), ARGV[3])
      changed = true
    end
  end
  redis.call('SREM', held, name)
  if changed then redis.call('PUBLISH', key .. ':ch', 's') end
end
local left = redis.call('SCARD', held)
if left == 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return {#rooms, left}`;

/** KEYS room log → floor, head, epoch */
const bounds = `${HEAD}
local room = redis.call('HMGET', KEYS[1], 'floor', 'epoch')
return {tonumber(room[1] or 0), head(), room[2]}`;

/** Number of keys and text of each script. */
export const scripts = {
  roomCreate: { numberOfKeys: 2, lua: create },
  roomTakeSeat: { numberOfKeys: 2, lua: takeSeat },
  roomReleaseSeat: { numberOfKeys: 2, lua: releaseSeat },
  roomLeaveSeat: { numberOfKeys: 2, lua: leaveSeat },
  roomAppend: { numberOfKeys: 3, lua: append },
  roomEnd: { numberOfKeys: 4, lua: end },
  roomSweep: { numberOfKeys: 4, lua: sweep },
  takeDue: { numberOfKeys: 1, lua: takeDue },
  nodeBury: { numberOfKeys: 1, lua: bury },
  roomBounds: { numberOfKeys: 2, lua: bounds },
};
