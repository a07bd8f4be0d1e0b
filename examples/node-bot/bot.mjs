// A bot that answers: node bot.mjs RELAY INVITE-LINK
import { connect } from '@qsec2/sdk';

const [relay, invite] = process.argv.slice(2);
const room = await connect({ relay, invite, name: 'Echo' });
process.once('SIGTERM', () => room.leave());
for await (const message of room.messages()) {
  console.log(`${message.from.name}: ${message.text}`);
  await room.send(`You wrote: ${message.text}`);
}
