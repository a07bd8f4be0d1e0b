import { connect } from '@qsec2/sdk';
import { MemoryRelay, memoryStorage } from '@qsec2/sdk/testing';

/** For a Node that throws at what it is going to withdraw: two members, one of them kept, do what asks the platform for cryptography. */

const relay = new MemoryRelay();
const storage = memoryStorage();
const enter = (options) => connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
const secure = async (...rooms) => {
  for (const room of rooms) while (room.state !== 'secure') await room.once('state');
};

const ana = await enter({ name: 'Ana' });
const kept = { invite: ana.invite, persist: 'device', storage };
let bo = await enter({ name: 'Bo', ...kept });
await secure(ana, bo);
await (await ana.send('a text')).delivered;
await bo.suspend();
bo = await enter(kept);
await secure(ana, bo);
await ana.lock();
await bo.rekey();
const heard = bo.once('message');
await (await ana.sendFile(new File(['a file'], 'file.txt'))).delivered;
const { file } = await heard;
if ((await (await file.blob()).text()) !== 'a file') throw new Error('another file came');
for (const room of [bo, ana]) await room.leave();
console.log('done');
