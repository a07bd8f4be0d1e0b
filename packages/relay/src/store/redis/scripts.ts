/**
 * What has to happen as one step in Redis. A script sees a room alone: Redis runs one at a time.
 *
 * Keys of a room: `<room>` hash (epoch, terms, floor, bytes, emptySince, run; per seat `s:` secret, `h:` holder, `a:` away since,
 * `r:` received), `<room>:log` stream of items with ids `0-<sequence>`, `<room>:ids` sorted set of identities by place,
 * `<room>:ch` channel. `due` is a sorted set of all rooms by the time at which they have to be looked at.
 *
 * `run` is the process of Redis that gave the room's latest places. A Redis that does not wait for the disk may come back without the last
 * of them; others would get those places a second time, in an epoch that promises one order. So the first who touches the room in
 * another process of Redis gives it a new epoch, before any place is given.
 *
 * Messages on the channel: `f` items that were placed, `t` transient items, `s` seats changed, `n` new epoch, `e` end, reason.
 */

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
local function say(message) redis.call('PUBLISH', KEYS[1] .. ':ch', message) end
local function seats()
  local found = {}
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 's:' then found[#found + 1] = string.sub(all[i], 3) end
  end
  return found
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
redis.call('HSET', KEYS[1], 'h:' .. ARGV[1], ARGV[3], 'a:' .. ARGV[1], 0)
say('s')
return {'ok', epoch, last, tonumber(room[3]), room[4] and 1 or 0}`;

/** KEYS room log · ARGV seat holder now */
const releaseSeat = `${HEAD}
if redis.call('HGET', KEYS[1], 'h:' .. ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'h:' .. ARGV[1], '', 'a:' .. ARGV[1], ARGV[3])
say('s')
return 1`;

/** KEYS room log · ARGV seat now */
const leaveSeat = `${HEAD}
if redis.call('HDEL', KEYS[1], 's:' .. ARGV[1], 'h:' .. ARGV[1], 'a:' .. ARGV[1], 'r:' .. ARGV[1]) == 0 then return 0 end
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
if redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) == 0 then return 0 end
say('e' .. ARGV[2])
return 1`;

/**
 * KEYS room log ids due · ARGV name now retention known-beyond-floor, then seat and place of each receipt
 * → 'expired', or the head of the log and the seats given up
 *
 * A holder is `<node>.<connection>`; a node that has not renewed its key is dead, and its members are away from now on.
 */
const sweep = `${HEAD}
local now, retention = tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[4], ARGV[1])
  return {'0'}
end
for i = 5, #ARGV, 2 do
  local field = 'r:' .. ARGV[i]
  local received = redis.call('HGET', KEYS[1], field)
  if received and tonumber(ARGV[i + 1]) > tonumber(received) then redis.call('HSET', KEYS[1], field, ARGV[i + 1]) end
end
local gone, changed, received, left = {}, false, head(), 0
for _, seat in ipairs(seats()) do
  local state = redis.call('HMGET', KEYS[1], 'h:' .. seat, 'a:' .. seat, 'r:' .. seat)
  local holder, away = state[1], tonumber(state[2])
  if holder ~= '' then
    local node = string.match(holder, '^([^.]*)')
    if redis.call('EXISTS', 'qsec2:node:' .. node) == 0 then
      redis.call('HSET', KEYS[1], 'h:' .. seat, '', 'a:' .. seat, now)
      holder, away, changed = '', now, true
    end
  end
  if holder == '' and away + retention <= now then
    redis.call('HDEL', KEYS[1], 's:' .. seat, 'h:' .. seat, 'a:' .. seat, 'r:' .. seat)
    gone[#gone + 1] = seat
    changed = true
  else
    left = left + 1
    if tonumber(state[3]) < received then received = tonumber(state[3]) end
  end
end
if left == 0 and #gone > 0 then redis.call('HSET', KEYS[1], 'emptySince', now) end
if changed then say('s') end
local room = redis.call('HMGET', KEYS[1], 'emptySince', 'bytes', 'floor')
if left == 0 and tonumber(room[1]) + retention <= now then
  redis.call('ZREM', KEYS[4], ARGV[1])
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  say('eexpired')
  return {'expired'}
end
local bytes, floor = tonumber(room[2]), tonumber(room[3])
local trimmed = false
while true do
  local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  local seq = tonumber(string.match(oldest[1], '-(%d+)$'))
  local item = oldest[2][2]
  -- Milliseconds since 1970 at which a relay took the frame: eighth to thirteenth byte of the item.
  if seq > received and struct.unpack('>I6', item, 8) + retention > now then break end
  redis.call('XDEL', KEYS[2], oldest[1])
  bytes, floor, trimmed = bytes - #item, seq, true
end
if trimmed then
  redis.call('HSET', KEYS[1], 'bytes', bytes, 'floor', floor)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', math.min(floor, head() - tonumber(ARGV[4])))
end
redis.call('ZADD', KEYS[4], now + retention, ARGV[1])
table.insert(gone, 1, string.format('%.0f', head()))
return gone`;

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
  roomBounds: { numberOfKeys: 2, lua: bounds },
};
