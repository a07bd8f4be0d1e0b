import { readFileSync } from 'node:fs';
import { type RelaySettings, SETTINGS, SettingError, withDefaults } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from environment variables. Secrets may come from a file: `RELAY_PEPPER_FILE=/run/secrets/pepper`.
 *
 * @throws {SettingError} naming the variable whose value cannot be used.
 */
export function loadSettings(env: Environment): RelaySettings {
  const settings: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(SETTINGS)) {
    const text = setting.secret ? secretText(env, setting.env) : env[setting.env];
    // An empty variable is what a compose file leaves behind for one that is not set.
    if (text === undefined || text === '') continue;
    const value = setting.parse(text);
    if (value === undefined) throw new SettingError(setting.env, setting.expects);
    settings[key] = value;
  }
  refuseUnknown(env);
  return withDefaults(settings as Partial<RelaySettings>);
}

/** The settings as lines `VARIABLE=value`, secrets hidden. */
export function printSettings(settings: RelaySettings): string {
  return Object.entries(SETTINGS)
    .map(([key, setting]) => {
      const value = settings[key as keyof RelaySettings];
      if (value === undefined) return `# ${setting.env} is not set`;
      return `${setting.env}=${setting.print?.(value as never) ?? (setting.secret ? '(hidden)' : String(value))}`;
    })
    .join('\n');
}

function secretText(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  if (!file) return env[name];
  if (env[name]) throw new SettingError(name, `only one of ${name} and ${name}_FILE`);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new SettingError(`${name}_FILE`, 'a readable file');
  }
}

/** A misspelt variable would otherwise leave its default in place without a word. */
function refuseUnknown(env: Environment): void {
  const known = new Set(Object.values(SETTINGS).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env])));
  for (const name of Object.keys(env)) {
    if (name.startsWith('RELAY_') && !known.has(name))
      throw new SettingError(name, 'a setting of the relay; there is none of this name');
  }
}
