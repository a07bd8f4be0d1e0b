/**
 * The reference relay of QSEC2: ordered, acknowledged, resumable delivery of frames it cannot read.
 *
 * @packageDocumentation
 */
export { loadSettings } from './config/load.ts';
export { type RelaySettings, SettingError } from './config/settings.ts';
export { createRelay, type Relay, type RelayOptions } from './relay.ts';
export { StartError } from './start-error.ts';
