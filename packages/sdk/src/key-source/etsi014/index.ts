/** Keys from quantum hardware: a client of key management entities by ETSI GS QKD 014. For Node. */
export { QsecError } from '../../errors.ts';
export {
  type DecKeysRequest,
  type EncKeysRequest,
  Etsi014Client,
  type Etsi014Key,
  type Etsi014Options,
  type RequestOptions,
} from './client.ts';
export type { Etsi014FailureReason } from './failure.ts';
export { type Etsi014SourceOptions, etsi014 } from './key-source.ts';
export type { MutualTls, Pem } from './request.ts';
export type { Etsi014Status } from './schema.ts';
