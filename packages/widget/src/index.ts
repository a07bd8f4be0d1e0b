export type { Components, JSX } from './components';
export { setLazyElements } from './lazy-elements';
export type * from './types';
