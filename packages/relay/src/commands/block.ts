import { parseArgs } from 'node:util';
import { parseDuration } from '../config/units.ts';
import { parseNetwork } from '../gateway/networks.ts';
import { Hasher } from '../hashes.ts';
import { Blocks } from '../operator/blocks.ts';
import { Orders } from '../operator/orders.ts';
import { pepperOf } from '../pepper.ts';
import { openDatabase } from '../storage.ts';
import { type Command, UsageError } from './run.ts';

/** Has the running relays refuse an address, of IPv6 its /64, or a network, and close what it has open. Its hash is kept, not itself. */
export const block: Command = async (settings, args) => {
  const options = { for: { type: 'string', default: '24h' }, off: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const network = parseNetwork(positionals[0] ?? '');
  const duration = parseDuration(values.for);
  if (network === undefined) throw new UsageError('expects an address, or a network such as 192.0.2.0/24');
  if (duration === undefined) throw new UsageError('--for expects a time such as 1h');
  const key = Blocks.keyOf(new Hasher(pepperOf(settings)), network);
  const database = await openDatabase(settings, () => {});
  try {
    const orders = new Orders(database.queries);
    if (values.off)
      console.log((await orders.unblock(key)) ? `${network.name} may connect again` : `${network.name} was not blocked`);
    else {
      await orders.block(key, Date.now() + duration);
      console.log(`${network.name} is refused for ${values.for}, and what it has open is closed`);
    }
    return 0;
  } finally {
    await database.close();
  }
};
