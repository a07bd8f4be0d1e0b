import { parseArgs } from 'node:util';
import { parseDuration } from '../config/units.ts';
import { addressScope } from '../gateway/addresses.ts';
import { Hasher } from '../hashes.ts';
import { Orders } from '../operator/orders.ts';
import { pepperOf } from '../pepper.ts';
import { openDatabase } from '../storage.ts';
import { type Command, UsageError } from './run.ts';

/** Has the running relays refuse connections from an address, of IPv6 from its /64. Its hash is kept, not the address. */
export const block: Command = async (settings, args) => {
  const options = { for: { type: 'string', default: '24h' }, off: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const address = addressScope(positionals[0] ?? '');
  const duration = parseDuration(values.for);
  if (address === undefined) throw new UsageError('expects an address');
  if (duration === undefined) throw new UsageError('--for expects a time such as 1h');
  const hash = new Hasher(pepperOf(settings)).name('address', address);
  const database = await openDatabase(settings, () => {});
  try {
    const orders = new Orders(database.queries);
    if (values.off) console.log((await orders.unblock(hash)) ? `${address} may connect again` : `${address} was not blocked`);
    else {
      await orders.block(hash, Date.now() + duration);
      console.log(`${address} is refused for ${values.for}; connections it has open stay`);
    }
    return 0;
  } finally {
    await database.close();
  }
};
