import { QsecError } from '../errors.ts';

/** What is stored is there and does not open: unlike a storage that cannot be read now, it will not later either. */
export const damage = (message: string, cause?: unknown): QsecError =>
  new QsecError('STORAGE_UNAVAILABLE', message, { cause, details: { damaged: true } });

export const isDamage = (error: unknown): error is QsecError =>
  QsecError.is(error, 'STORAGE_UNAVAILABLE') && error.details.damaged === true;
