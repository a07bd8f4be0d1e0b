import { createRelay } from '@qsec2/relay';
import { connect } from '@qsec2/sdk';

/** A relay in the program's own process, and two members who write to each other through it. */

const { PORT, RELAY_HOST: host, RELAY_DATA_DIR: dataDir, RELAY_DATABASE_URL: databaseUrl } = process.env;
const relay = await createRelay({ port: Number(PORT), host, dataDir, databaseUrl, logLevel: 'silent' });
const url = await relay.listen();
const ana = await connect({ relay: url, name: 'Ana' });
const bo = await connect({ relay: url, name: 'Bo', invite: ana.invite });
while (ana.state !== 'secure') await ana.once('state');
await (await ana.send('a text')).delivered;
for (const room of [bo, ana]) await room.leave();
await relay.close();
console.log('done');
