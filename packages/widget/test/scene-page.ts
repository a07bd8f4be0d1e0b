import { QsecError } from '@qsec2/sdk';
import { fullReport, refusedStages, stagesUpTo } from './fixtures.ts';
import { SCENES } from './scenes.ts';

/** The page of the visual tests: `?scene=chat&theme=dark&mode=inline` shows the widget in that state. */

const query = new URLSearchParams(location.search);
const chat = document.createElement('qsec2-chat') as HTMLElement & { room?: unknown; open(): Promise<void> };
chat.setAttribute('relay', location.origin);
for (const name of ['theme', 'mode', 'lang']) {
  const value = query.get(name);
  if (value) chat.setAttribute(name, value);
}

const scene = SCENES[query.get('scene') ?? ''];
const room = scene?.room();
if (room) chat.room = room;
document.querySelector('main')?.append(chat);

Object.assign(window, { chat, room, stagesUpTo, refusedStages, fullReport, QsecError });

await customElements.whenDefined('qsec2-chat');
await chat.open();
if (room) await scene?.next?.(room);
document.documentElement.dataset.ready = 'yes';
