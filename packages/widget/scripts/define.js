// Defines <qsec2-chat>, and each of its parts when it is first shown. Copied to dist/define.js.

import { setLazyElements } from './components/index.js';
import { defineCustomElement } from './components/qsec2-chat.js';

setLazyElements({
  'qsec2-panel': () => import('./components/qsec2-panel.js').then((part) => part.defineCustomElement()),
  'qsec2-file': () => import('./components/qsec2-file.js').then((part) => part.defineCustomElement()),
  'qsec2-voice': () => import('./components/qsec2-voice.js').then((part) => part.defineCustomElement()),
  'qsec2-recorder': () => import('./components/qsec2-recorder.js').then((part) => part.defineCustomElement()),
  'qsec2-people': () => import('./components/qsec2-people.js').then((part) => part.defineCustomElement()),
  'qsec2-leave': () => import('./components/qsec2-leave.js').then((part) => part.defineCustomElement()),
  'qsec2-security': () => import('./components/qsec2-security.js').then((part) => part.defineCustomElement()),
});
defineCustomElement();
