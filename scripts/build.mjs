import { say } from './console.mjs';
import { setUp } from './setup.mjs';

await setUp();
say('Everything is built.');
