import type { Command } from './command.ts';

export const doctor: Command = {
  name: 'etsi014 doctor',
  summary: 'probe a key management entity (ETSI GS QKD 014) and say what is wrong',
  help: 'Usage: qsec2 etsi014 doctor',
  options: {},
  run: () => Promise.resolve(2),
};
