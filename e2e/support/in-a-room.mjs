import { connect } from '@qsec2/sdk';
import { agree, simulatedChannel } from '@qsec2/sdk/bb84';
import { memoryStorage } from '@qsec2/sdk/testing';

/** Two members on the relay that is given, one of them kept, do what asks the platform for cryptography; and an agreement by itself. */

const [relay] = process.argv.slice(2);
const storage = memoryStorage();
const enter = (options) => connect({ relay, ...options });
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
const { alice, bob } = await agree({ pulses: 1 << 17, channel: simulatedChannel({ seed: 1 }) });
if (alice.length === 0 || alice.some((byte, at) => byte !== bob[at])) throw new Error('no key was agreed');
for (const part of ['etsi014', 'wire', 'voice', 'pictures']) await import(`@qsec2/sdk/${part}`);
console.log('done');
