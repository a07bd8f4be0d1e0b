/**
 * Everything that moves the content of files, in a module that is loaded with the first one: most conversations have none, and a page
 * has better things to load before its first message.
 */
export { download } from './download.ts';
export { openFile } from './open.ts';
export { sealingOf } from './prepared.ts';
export { type Sealing, sealFile } from './seal.ts';
export { openSource } from './source.ts';
export { upload } from './upload.ts';
