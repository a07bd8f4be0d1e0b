import type { FunctionalComponent } from '@stencil/core';
import { Icon } from '../icons/icon';
import { back } from '../icons/paths';
import { h } from '../vdom';

interface SheetHeadProps {
  titleId: string;
  /** What the way back is called. */
  back: string;
  onBack: () => void;
}

/** Head of what slides over the conversation: the way back, and what this is. */
export const SheetHead: FunctionalComponent<SheetHeadProps> = (props, title) => (
  <header class="sheet-head">
    <button type="button" class="tool" aria-label={props.back} onClick={props.onBack}>
      <Icon of={back} />
    </button>
    <h3 id={props.titleId}>{title}</h3>
  </header>
);
