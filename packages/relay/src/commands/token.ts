import { parseArgs } from 'node:util';
import { SettingError } from '../config/settings.ts';
import { parseDuration } from '../config/units.ts';
import { operatorToken } from '../gateway/operator-token.ts';
import { type Command, UsageError } from './run.ts';

/** Prints an operator's token, as a site's own server would make it. */
export const token: Command = async ({ operatorSecret }, args) => {
  const { values } = parseArgs({ args, options: { for: { type: 'string', default: '10m' } } });
  const duration = parseDuration(values.for);
  if (duration === undefined) throw new UsageError('--for expects a time such as 10m');
  if (operatorSecret === undefined) throw new SettingError('RELAY_OPERATOR_SECRET', 'the secret the relay has');
  console.log(operatorToken(operatorSecret, Math.floor((Date.now() + duration) / 1000)));
  return 0;
};
